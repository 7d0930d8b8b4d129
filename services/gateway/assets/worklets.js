// The two ends of a call's sound on the browser's audio thread.
import { Framer, JitterBuffer, Resampler, WIRE_HZ, fromWire, meterLevel } from "./audio.js";

// Microphone in; posts {frame: ArrayBuffer of 640 bytes, level}.
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, WIRE_HZ);
    this.framer = new Framer();
    this.muted = false;
    this.level = 0;
    this.port.onmessage = (message) => {
      this.muted = message.data.muted;
    };
  }

  process(inputs) {
    const input = inputs[0][0];
    // A microphone that gives nothing still has a clock: silence keeps the frames coming.
    const samples = !input || this.muted ? new Float32Array(128) : input;
    this.level = Math.max(this.level * 0.9, meterLevel(samples));
    this.framer.push(this.resampler.process(samples), (frame) => {
      this.port.postMessage({ frame, level: this.level }, [frame]);
    });
    return true;
  }
}

// Takes {frame} and {flush: true}; posts {level} ten times a second.
class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(WIRE_HZ, sampleRate);
    this.buffer = new JitterBuffer(sampleRate);
    this.level = 0;
    this.quanta = 0;
    this.port.onmessage = (message) => {
      if (message.data.flush) this.buffer.flush();
      else this.buffer.push(this.resampler.process(fromWire(message.data.frame)));
    };
  }

  process(inputs, outputs) {
    const [left, ...others] = outputs[0];
    this.buffer.pull(left);
    for (const channel of others) channel.set(left);
    this.level = Math.max(this.level * 0.95, meterLevel(left));
    if (++this.quanta % 32 === 0) this.port.postMessage({ level: this.level });
    return true;
  }
}

registerProcessor("parley-capture", Capture);
registerProcessor("parley-playback", Playback);
