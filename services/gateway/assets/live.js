// Keeps a report up to date while the call goes on: fetches the page again, swaps its content.
const EVERY_MS = 3000;
const main = document.getElementById("main");
let shown = main.innerHTML;

async function refresh() {
  if (document.hidden) return;
  if ([...document.querySelectorAll("audio")].some((player) => !player.paused)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("main");
  if (!fresh || fresh.innerHTML === shown) return;
  if (main.contains(document.activeElement) && document.activeElement.tagName === "INPUT") return;
  const open = new Set([...main.querySelectorAll("details[open]")].map((d) => d.closest("li")?.id));
  shown = fresh.innerHTML;
  main.replaceChildren(...fresh.childNodes);
  for (const d of main.querySelectorAll("details")) d.open = open.has(d.closest("li")?.id);
}

setInterval(() => refresh().catch(() => {}), EVERY_MS);
