// The sound of a call, away from sockets and pages, so that it can be tested by itself.
//
// On the wire sound is 16 kHz, 16 bit signed little-endian, mono, in frames of 20 ms (320 samples).

export const WIRE_HZ = 16000;
export const FRAME_SAMPLES = 320;

// Resamples a stream by a windowed sinc whose cutoff is the lower of the two Nyquist frequencies.
export class Resampler {
  constructor(fromHz, toHz, taps = 16) {
    this.step = fromHz / toHz;
    const cutoff = Math.min(1, toHz / fromHz) * 0.94;
    this.half = Math.ceil(taps / cutoff);
    this.cutoff = cutoff;
    this.identity = fromHz === toHz;
    this.history = new Float32Array(this.half * 2);
    this.position = this.half; // of the next output sample, in input samples of the history
  }

  kernel(x) {
    if (Math.abs(x) >= this.half) return 0;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / this.half);
    const t = Math.PI * x * this.cutoff;
    return (Math.abs(t) < 1e-9 ? 1 : Math.sin(t) / t) * this.cutoff * window;
  }

  // Float32Array in, Float32Array out; what is needed for the next block is kept.
  process(input) {
    if (this.identity) return input;
    const all = new Float32Array(this.history.length + input.length);
    all.set(this.history);
    all.set(input, this.history.length);
    const out = [];
    let at = this.position;
    for (; at + this.half < all.length; at += this.step) {
      const first = Math.max(0, Math.ceil(at - this.half));
      const last = Math.min(all.length - 1, Math.floor(at + this.half));
      let sum = 0;
      for (let i = first; i <= last; i++) sum += all[i] * this.kernel(at - i);
      out.push(sum);
    }
    const keep = Math.max(0, Math.floor(at - this.half));
    this.history = all.slice(keep);
    this.position = at - keep;
    return Float32Array.from(out);
  }
}

// Cuts a stream into frames of 320 samples as bytes for the wire.
export class Framer {
  constructor() {
    this.left = new Int16Array(FRAME_SAMPLES);
    this.count = 0;
  }

  // Calls emit with an ArrayBuffer of 640 bytes for each complete frame.
  push(samples, emit) {
    for (const sample of samples) {
      const clipped = Math.max(-1, Math.min(1, sample));
      this.left[this.count++] = Math.round(clipped * 32767);
      if (this.count === FRAME_SAMPLES) {
        emit(toWire(this.left));
        this.count = 0;
      }
    }
  }
}

function toWire(samples) {
  const bytes = new ArrayBuffer(samples.length * 2);
  const view = new DataView(bytes);
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, samples[i], true);
  return bytes;
}

export function fromWire(bytes) {
  const view = new DataView(bytes);
  const out = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < out.length; i++) out[i] = view.getInt16(i * 2, true) / 32768;
  return out;
}

// What the bot says, waiting to be played: starts once a little is buffered, so that an uneven
// network is not heard, and drops the oldest when far too much has come.
export class JitterBuffer {
  constructor(hz, startMs = 60, maxMs = 4000) {
    this.hz = hz;
    this.start = (hz * startMs) / 1000;
    this.max = (hz * maxMs) / 1000;
    this.flush();
    this.underruns = 0;
  }

  push(samples) {
    this.blocks.push(samples);
    this.size += samples.length;
    while (this.size - this.blocks[0].length > this.max) {
      this.size -= this.blocks.shift().length - this.offset;
      this.offset = 0;
    }
  }

  flush() {
    this.blocks = [];
    this.size = 0;
    this.offset = 0; // of the first block, already played
    this.playing = false;
  }

  // Fills out; silence where there is nothing to play.
  pull(out) {
    out.fill(0);
    if (!this.playing && this.size < this.start) return;
    this.playing = true;
    let at = 0;
    while (at < out.length && this.blocks.length > 0) {
      const block = this.blocks[0];
      const n = Math.min(out.length - at, block.length - this.offset);
      out.set(block.subarray(this.offset, this.offset + n), at);
      at += n;
      this.offset += n;
      this.size -= n;
      if (this.offset === block.length) {
        this.blocks.shift();
        this.offset = 0;
      }
    }
    if (at < out.length) {
      this.underruns++;
      this.playing = false;
    }
  }
}

// Peak of a block as a meter shows it: 0 to 1 over 50 dB.
export function meterLevel(samples) {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  if (peak < 1e-5) return 0;
  return Math.max(0, Math.min(1, 1 + (20 * Math.log10(peak)) / 50));
}
