// Plays a call's recording in step with its transcript: a line clicked is a place to play from, the
// line being played is marked. Works by delegation, so that a page brought up to date keeps it.
const players = () => [...document.querySelectorAll("audio.recording")];
const lines = () => [...document.querySelectorAll(".talk > li[data-at]")];

function spanOf(player) {
  const from = Number(player.dataset.from);
  return { from, to: from + (player.duration || Number(player.dataset.ms) / 1000) * 1000 };
}

function playFrom(line) {
  const at = Number(line.dataset.at);
  const player = players().find((p) => at >= spanOf(p).from - 2000 && at <= spanOf(p).to);
  if (!player) return;
  const seconds = Math.max(0, (at - Number(player.dataset.from)) / 1000);
  for (const other of players()) if (other !== player) other.pause();
  const start = () => { player.currentTime = seconds; player.play().catch(() => {}); };
  if (player.readyState > 0) start();
  else { player.addEventListener("loadedmetadata", start, { once: true }); player.load(); }
}

function mark(player) {
  const now = Number(player.dataset.from) + player.currentTime * 1000;
  let current = null;
  for (const line of lines()) if (Number(line.dataset.at) <= now) current = line;
  for (const line of lines()) line.classList.toggle("playing", line === current && !player.ended);
}

document.addEventListener("click", (event) => {
  const line = event.target.closest(".talk > li[data-at]");
  if (!line || event.target.closest("a, button, summary, details") || getSelection().toString()) return;
  playFrom(line);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches?.(".talk > li[data-at]")) return;
  playFrom(event.target);
});
for (const name of ["timeupdate", "seeked", "ended"]) {
  document.addEventListener(name, (event) => {
    if (event.target.matches?.("audio.recording")) mark(event.target);
  }, true);
}
