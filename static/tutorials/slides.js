// Slides: one at a time. The address has the number; windows with the same slides turn together, so that a second one can
// show the speaker's notes while the first is on the projector.
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const all = [...document.querySelectorAll(".slide")];
const others = new BroadcastChannel(`slides ${document.body.dataset.lesson}`);
let here = -1;
let left = 0; // when the first slide was left: the talk has begun

// What has more words than the projector has room for is set smaller, until it fits.
function fit() {
  const text = all[here].querySelector("article");
  for (let size = 1; size > 0.4; size -= 0.05) {
    text.style.setProperty("--fit", size);
    if ($("slides").scrollHeight <= $("slides").clientHeight) return;
  }
}

function show(number, told = true) {
  const to = Math.max(0, Math.min(all.length - 1, number));
  if (to === here) return;
  if (here === 0 && to > 0) left ||= Date.now();
  all[here]?.classList.remove("here");
  all[to].classList.add("here");
  here = to;
  history.replaceState(null, "", `#${to + 1}`);
  $("where").textContent = `${to + 1} of ${all.length}`;
  $("back").disabled = to === 0;
  $("on").disabled = to === all.length - 1;
  $("notes").innerHTML = all[to].querySelector(".notes").innerHTML; // the server's own, and made safe there
  $("next").innerHTML = all[to + 1]?.querySelector("article").innerHTML || "The end";
  $("slides").scrollTop = 0;
  fit();
  if (document.activeElement === document.body || all.some((one) => one.contains(document.activeElement))) all[to].querySelector("article").focus();
  document.dispatchEvent(new Event("turned"));
  if (told) others.postMessage({ here, left });
}

others.onmessage = ({ data }) => {
  if (data.asks) return others.postMessage({ here, left });
  left = data.left;
  show(data.here, false);
};

function notes(on = $("desk").hidden) {
  if ($("speaker").hidden) return; // a learner of a class
  $("desk").hidden = !on;
  $("speaker").setAttribute("aria-pressed", on);
}

function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen();
}

function light() {
  const dark = root.dataset.theme === "dark" || root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

const two = (number) => String(number).padStart(2, "0");
function tick() {
  const now = new Date();
  $("clock").textContent = `${two(now.getHours())}:${two(now.getMinutes())}`;
  const seconds = left ? Math.floor((now - left) / 1000) : 0;
  $("elapsed").textContent = `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

const KEYS = {
  ArrowRight: () => show(here + 1), ArrowDown: () => show(here + 1), PageDown: () => show(here + 1), " ": () => show(here + 1),
  ArrowLeft: () => show(here - 1), ArrowUp: () => show(here - 1), PageUp: () => show(here - 1),
  Home: () => show(0), End: () => show(all.length - 1), s: () => notes(), f: full, l: light,
};
addEventListener("keydown", (event) => {
  const act = KEYS[event.key.length > 1 ? event.key : event.key.toLowerCase()];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input") || event.key === " " && event.target.closest("button, a")) return;
  event.preventDefault();
  act();
});
for (const [id, act] of Object.entries({ back: KEYS.ArrowLeft, on: KEYS.ArrowRight, speaker: KEYS.s, full, light })) $(id).addEventListener("click", act);
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1));

new ResizeObserver(() => here >= 0 && fit()).observe($("slides"));
root.classList.add("turning");
show(Number(location.hash.slice(1) || 1) - 1, false);
others.postMessage({ asks: true });
tick();
setInterval(tick, 1000);
