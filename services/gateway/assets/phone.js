// The page /phone: a call from this browser. See docs/protocol-browser.md for the WebSocket.
const PROTOCOL = "parley-phone-1";
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const MAX_BUFFERED_BYTES = 32000; // one second of sound that the network has not taken

const by = (id) => document.getElementById(id);
const page = {
  state: by("state"), call: by("call"), mute: by("mute"), keys: by("keys"), pad: by("pad"),
  error: by("error"), number: by("number"), form: by("form"), talk: by("talk"), empty: by("empty"),
  report: by("report"), mic: by("level-mic"), bot: by("level-bot"),
};

// What went wrong, in words for the person at the page.
class Trouble extends Error {}

let call = null; // the call in progress, if any

// ---- the page ----

function say(state, small = "") {
  page.state.textContent = state;
  if (small) {
    const line = document.createElement("small");
    line.textContent = small;
    page.state.append(line);
  }
  document.body.dataset.state = state;
}

function showError(text) {
  page.error.textContent = text;
  page.error.hidden = !text;
}

function showLive(live) {
  page.call.toggleAttribute("data-live", live);
  page.call.textContent = live ? "Hang up" : "Call";
  page.mute.disabled = page.keys.disabled = !live;
  page.number.disabled = live;
  if (!live) {
    page.mic.value = page.bot.value = 0;
    page.mute.setAttribute("aria-pressed", "false");
    page.pad.hidden = true;
    page.keys.setAttribute("aria-expanded", "false");
  }
}

function bubble(id, persona) {
  const bot = persona === "assistant";
  const item = document.createElement("li");
  item.className = `said ${bot ? "bot" : "human"}`;
  if (id) item.id = id;
  const meta = document.createElement("p");
  meta.className = "meta";
  meta.textContent = bot ? "bot" : "you";
  const body = document.createElement("div");
  body.className = "bubble";
  body.append(document.createElement("p"));
  item.append(meta, body);
  return item;
}

// A partial text stands in one bubble per speaker until its final text replaces it. A message that
// comes again under its number replaces its text: an answer is cut where the caller broke in.
function showTranscript({ persona, text, partial, number }) {
  page.empty.hidden = true;
  const pending = page.talk.querySelector(`.partial[data-persona="${CSS.escape(persona)}"]`);
  const id = number ? `message-${Number(number)}` : "";
  let item = (id && by(id)) || pending;
  if (!item) {
    item = bubble("", persona);
    page.talk.append(item);
  }
  if (id) item.id = id;
  if (pending && pending !== item) pending.remove();
  item.dataset.persona = persona;
  item.classList.toggle("partial", Boolean(partial));
  item.querySelector(".bubble p").textContent = text;
  if (!text && !partial) item.remove();
  item.scrollIntoView({ block: "nearest" });
}

function showReport(id) {
  const link = document.createElement("a");
  link.href = `/report/${encodeURIComponent(id)}`;
  link.className = "button";
  link.textContent = "Open the report";
  page.report.replaceChildren(link);
  page.report.hidden = false;
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// ---- setting up ----

async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    throw new Trouble("This browser gives pages the microphone only over HTTPS or on localhost. " +
      "Open this page at http://localhost or behind HTTPS.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    if (error.name === "NotAllowedError") {
      throw new Trouble("The microphone is not allowed. Allow it in the address bar and call again.");
    }
    if (error.name === "NotFoundError") throw new Trouble("No microphone was found.");
    throw new Trouble(`The microphone cannot be used: ${error.message}`);
  }
}

async function getTicket() {
  const number = page.number.value.trim();
  let answer;
  try {
    answer = await fetch("/phone/ticket", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(number ? { phone_number: number } : {}),
    });
  } catch {
    throw new Trouble("The call center cannot be reached. Try again in a moment.");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const details = body.error?.details?.join("; ") || body.error?.message || answer.statusText;
  if (answer.status === 422) throw new Trouble(`Check the number: ${details}`);
  if (answer.status === 429) throw new Trouble("All lines are busy. Try again in a moment.");
  throw new Trouble(`The call center is not ready (${details}). Try again in a moment.`);
}

function socketUrl(ticket) {
  if (ticket.url) return ticket.url;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.hostname}:${ticket.port}/phone`;
}

function openSocket(ticket) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(socketUrl(ticket), PROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Trouble("The line could not be opened. Is its port reachable?"));
  });
}

async function openAudio(stream) {
  const context = new AudioContext({ latencyHint: "interactive" });
  await context.audioWorklet.addModule("/assets/worklets.js");
  const capture = new AudioWorkletNode(context, "parley-capture", { numberOfOutputs: 0 });
  const playback = new AudioWorkletNode(context, "parley-playback", { numberOfInputs: 0 });
  context.createMediaStreamSource(stream).connect(capture);
  playback.connect(context.destination);
  await context.resume();
  return { context, capture, playback };
}

// ---- a call ----

const reasons = {
  bye_local: "The bot hung up", bye_remote: "You hung up", busy: "All lines are busy",
  media_lost: "The sound was lost", owner_lost: "The call center had a failure",
  failed: "The call failed", transferred: "You were handed over",
};

class Call {
  constructor(stream, socket, audio) {
    Object.assign(this, { stream, socket, audio, ended: false, since: 0 });
    this.sent = this.received = this.skipped = 0;
    audio.capture.port.onmessage = (message) => this.sendFrame(message.data);
    audio.playback.port.onmessage = (message) => { page.bot.value = message.data.level; };
    socket.onmessage = (message) => this.receive(message.data);
    socket.onclose = () => this.end("The line was closed");
    socket.onerror = () => this.end("The line broke");
    this.ticker = setInterval(() => this.tick(), 500);
  }

  // Live sound is dropped rather than delayed when the network does not take it.
  sendFrame({ frame, level }) {
    page.mic.value = level;
    if (this.ended || !this.accepted || this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.skipped++;
      return;
    }
    this.socket.send(frame);
    this.sent++;
  }

  receive(data) {
    if (typeof data !== "string") {
      this.received++;
      this.audio.playback.port.postMessage({ frame: data }, [data]);
      return;
    }
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return; // not for us: the protocol may grow
    }
    this.handle(event);
  }

  handle(event) {
    switch (event.event) {
      case "accepted":
        this.accepted = true;
        this.id = event.call_id;
        document.body.dataset.callId = event.call_id;
        break;
      case "ringing":
        say("Ringing…");
        break;
      case "answered":
        this.since = performance.now();
        say("Connected");
        break;
      case "transcript":
        showTranscript(event);
        break;
      case "flush":
        this.audio.playback.port.postMessage({ flush: true });
        break;
      case "ended":
        this.end(reasons[event.reason] || event.detail || "The call has ended");
        break;
    }
  }

  tick() {
    if (this.since && !this.ended) say("Connected", clock(performance.now() - this.since));
  }

  mute(muted) {
    this.audio.capture.port.postMessage({ muted });
  }

  send(event) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(event));
  }

  hangUp() {
    this.send({ event: "hangup" });
    this.end("You hung up");
  }

  end(why) {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.ticker);
    for (const track of this.stream.getTracks()) track.stop();
    this.audio.context.close();
    this.socket.close();
    say(why, this.since ? clock(performance.now() - this.since) : "");
    showLive(false);
    if (this.id) showReport(this.id);
    if (call === this) call = null;
  }
}

let starting = false;

async function start() {
  let stream, socket;
  starting = true;
  page.call.disabled = true;
  showError("");
  page.report.hidden = true;
  page.talk.replaceChildren();
  page.empty.hidden = false;
  try {
    say("Opening the microphone…");
    stream = await openMicrophone();
    say("Calling…");
    const audio = await openAudio(stream);
    const ticket = await getTicket();
    socket = await openSocket(ticket);
    call = new Call(stream, socket, audio);
    socket.send(JSON.stringify({ token: ticket.token }));
    showLive(true);
  } catch (error) {
    stream?.getTracks().forEach((track) => track.stop());
    socket?.close();
    say("Ready to call");
    showError(error instanceof Trouble ? error.message : `Something went wrong: ${error.message}`);
  } finally {
    starting = false;
    page.call.disabled = false;
  }
}

// ---- controls ----

page.call.addEventListener("click", () => {
  if (call) call.hangUp();
  else if (!starting) start();
});
page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!call && !starting) start();
});
page.mute.addEventListener("click", () => {
  const muted = page.mute.getAttribute("aria-pressed") !== "true";
  page.mute.setAttribute("aria-pressed", String(muted));
  call?.mute(muted);
});
page.keys.addEventListener("click", () => {
  page.pad.hidden = !page.pad.hidden;
  page.keys.setAttribute("aria-expanded", String(!page.pad.hidden));
});
for (const digit of KEYS) {
  const key = document.createElement("button");
  key.type = "button";
  key.className = "quiet";
  key.textContent = digit;
  key.dataset.digit = digit;
  key.addEventListener("click", () => call?.send({ event: "dtmf", digit }));
  page.pad.append(key);
}
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (call && !typing && !page.pad.hidden && KEYS.includes(event.key)) {
    call.send({ event: "dtmf", digit: event.key });
  }
});
addEventListener("pagehide", () => call?.hangUp());
// A raw plus in an address reads as a space.
const given = new URLSearchParams(location.search).get("phone_number")?.trim() ?? "";
page.number.value = /^[1-9]\d+$/.test(given) ? `+${given}` : given;
