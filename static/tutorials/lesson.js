// The lesson beside the board: asks for the parts of its column that have changed, whenever the board's feed brings a change
// of the Lesson, and does what the text offers. What is shown is drawn by the server.
import { csrf, toast } from "../board/actions.js";
import { close, openPanel } from "../board/drawer.js";
import { onPaint, rows } from "../board/state.js";

const $ = (id) => document.getElementById(id);
const { body } = document;
const lesson = $("lesson");
const row = `lessons.orrery.io/${body.dataset.lesson}`;
const ALL = ["path", "stage", "text", "predict", "questions", "checks", "hints", "done", "after", "foot", "more"];
// What of the Lesson has changed → which parts show it.
const SHOW = {
  stage: ["path", "stage", "predict", "questions", "checks", "hints", "done", "after", "foot"],
  answers: ["predict", "questions"], checks: ["checks"], hints: ["hints", "foot"], told: ["hints"], done: ["done", "foot"], text: ALL, steps: ["path", "after", "foot"],
};
let known = null; // of what the parts that are shown were made
let wanted = new Set();
let asking = false;

onPaint(({ changed }) => {
  if (!changed.has(row)) return;
  const { of, step } = rows.get(row);
  const news = Object.keys(of).filter((name) => of[name] !== known?.[name]);
  known = of;
  refresh(step === $("l-text").dataset.step ? news.flatMap((name) => SHOW[name]) : ALL);
});

document.addEventListener("pace", () => refresh(["foot"])); // the class waits, or goes on

// One request at a time: what changes meanwhile is asked for after it.
async function refresh(parts) {
  for (const part of parts) wanted.add(part);
  if (asking || !wanted.size) return;
  asking = true;
  const of = [...wanted];
  wanted = new Set();
  try {
    await htmx.ajax("GET", `${lesson.dataset.url}?of=${of}`, { source: lesson, target: lesson, swap: "none" });
  } catch {
    for (const part of of) wanted.add(part);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  asking = false;
  refresh([]);
}

// Each as it is spoken: without the buttons of its commands.
const hints = () => [...lesson.querySelectorAll(".hints li")].map((hint) =>
  [...hint.querySelectorAll("small, p, .command > code")].map((part) => part.textContent).join(" "));
// What was: so that what turned can be said, and the focus goes where one goes on.
const seen = () => ({ ...$("l-stage").dataset, checks: outcomes(), hints: hints(), told: told().length, judged: !!lesson.querySelector(".checks small:not(:empty)") });
const told = () => [...lesson.querySelectorAll(".told li")].map((one) => one.textContent);
const outcomes = () => Object.fromEntries([...lesson.querySelectorAll("[data-check]")].map((one) => [one.dataset.check, one.dataset.outcome]));
let before = seen();
let focused = null; // id of what had the focus before parts were swapped

body.addEventListener("htmx:beforeSwap", () => {
  focused = lesson.contains(document.activeElement) ? document.activeElement.id || "l-title" : null;
});
// A part that comes just as it was drawn last stays as it is: a choice that is half made, a slider that was moved.
const drawn = new Map();
body.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  const part = detail.fragment.firstElementChild;
  if (!part?.matches(".part")) return;
  detail.shouldSwap = drawn.get(part.id) !== part.outerHTML;
  drawn.set(part.id, part.outerHTML);
});
body.addEventListener("htmx:afterSettle", () => setTimeout(settled));

// What is sent names the step that it is for, so sent twice is as sent once: Chrome drops requests when a network interface
// comes or goes. An element that stays sends it: the form may be drawn anew meanwhile.
lesson.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-post]");
  if (!form) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form));
  const post = () => htmx.ajax("POST", form.action, { source: $("l-post"), target: lesson, swap: "none", values });
  event.submitter?.setAttribute("aria-busy", "true");
  await post()
    .catch(() => new Promise((resolve) => setTimeout(resolve, 300)).then(post))
    .catch(() => say("The lab does not answer. Try again when the board says Live."));
  event.submitter?.removeAttribute("aria-busy");
});

function settled() {
  const now = seen();
  const fresh = now.step !== before.step || now.turn !== before.turn;
  const free = !document.activeElement || document.activeElement === body;
  // What was looked at stands over the next step's board; whoever types there goes on typing.
  if (now.step !== before.step && !$("drawer").contains(document.activeElement)) close();
  if (fresh && (free || focused)) begin();
  else if (now.phase === "Passed" && before.phase !== "Passed") passed(free || focused);
  else if (focused && free) ($(focused) || $("l-title")).focus({ preventScroll: true });
  // Once more when they say what is missing: there is more of them then.
  if (now.phase === "Act" && $("l-predict").firstElementChild && (before.phase === "Predict" || now.judged && !before.judged)) reveal($("l-checks"));
  if (now.told > before.told) hear(told().at(-1));
  if (!fresh) tell(now);
  before = now;
}

function begin() {
  lesson.scrollTop = 0;
  $("l-title").focus({ preventScroll: true });
}

function passed(may) {
  helping?.remove();
  reveal($("l-checks"), "start");
  if (may) $("l-next")?.focus({ preventScroll: true });
}

// Into sight: its end, or from its beginning on. Beside the board the column scrolls by itself, on a phone the page does.
function reveal(part, block = "end") {
  if (matchMedia("(max-width: 720px)").matches) return part.scrollIntoView({ block: block === "end" ? "nearest" : block });
  const end = part.offsetTop + part.offsetHeight + $("l-foot").offsetHeight + 16 - lesson.clientHeight;
  const top = block === "end" ? Math.max(lesson.scrollTop, end) : part.offsetTop - 16;
  lesson.scrollTo({ top, behavior: "smooth" });
}

// Whatever they look at, the board or another part of the lesson: somebody speaks to them.
function hear(words) {
  toast(`Your instructor: ${words}`, { kind: "wait", seconds: 20 });
  reveal($("l-hints"));
}

// What was asked for comes into sight. What comes by itself moves nothing under who reads: where it is out of sight, it is
// said beside the board too, until the step is passed; not to whom the lab shows it.
let helping;
function helped(hint) {
  const item = [...lesson.querySelectorAll(".hints li")][hints().indexOf(hint)];
  if (item.matches("[data-asked]")) reveal($("l-hints"));
  const [{ top, bottom }, foot] = [item.getBoundingClientRect(), $("l-foot").getBoundingClientRect()];
  const middle = (top + bottom) / 2;
  const seen = item.matches("[data-asked]") || middle > 0 && middle < foot.top || $("l-done").firstElementChild;
  if (!seen) helping = toast(`Hint: ${hint}`, { kind: "wait", seconds: 12 });
  return seen;
}

function tell(now) {
  const turned = Object.entries(now.checks).filter(([id, outcome]) => before.checks[id] !== outcome && outcome !== "not yet");
  const words = turned.map(([id]) => lesson.querySelector(`[data-check="${id}"] div`).textContent);
  const more = now.hints.filter((hint) => !before.hints.includes(hint));
  if (more.length && helped(more[0])) words.push(...more.map((hint) => `Hint: ${hint}`));
  if (now.phase !== before.phase) words.push({ Act: "The stage is set: now act.", Predict: "The stage is set: predict first.", Passed: "The step is passed." }[now.phase] || "");
  if (words.length) $("l-said").textContent = words.join(" ");
}

// What is refused is said: htmx takes in no answer of an error.
body.addEventListener("htmx:responseError", ({ detail }) => {
  try {
    say(JSON.parse(detail.xhr.responseText).message);
  } catch {
    say("The lab could not do it. Load the page again.");
  }
});

function say(words) {
  $("l-wrong").textContent = words;
}

// What the text offers: acts, files to apply, commands to run in the page's command line.
lesson.addEventListener("click", async ({ target }) => {
  if (target.closest("[data-show]")) side("board"); // where the drawer is
  const button = target.closest("[data-act], [data-apply], [data-run]");
  if (!button) return;
  if (button.dataset.run) return type(button.dataset.run);
  const form = new FormData();
  if (button.dataset.act !== undefined) form.set("number", button.dataset.act);
  else form.set("yaml", button.closest(".file").querySelector("code").textContent);
  button.ariaBusy = true;
  try {
    const answer = await fetch(lesson.dataset.press, { method: "POST", headers: csrf, body: form });
    const said = await answer.json();
    toast(said.message, answer.ok ? { command: said.kubectl, seconds: 8 } : { kind: "error", seconds: 12 });
  } catch {
    toast("The lab did not answer. See on the board whether it was done.", { kind: "error", seconds: 10 });
  }
  button.removeAttribute("aria-busy");
});

// It waits for the command line no longer than that is on its way: opened later, it must not run what was asked for once.
let pending = null;
async function type(command) {
  const send = () => document.dispatchEvent(new CustomEvent("type", { detail: command }));
  const there = () => document.querySelector("#drawer .console form");
  pending?.abort();
  side("board");
  if (there()) return send();
  const mine = (pending = new AbortController());
  let came = false; // and what comes into the drawer after it, or in its place, is something else
  const drawer = new MutationObserver(() => (came || !there() ? mine.abort() : (came = true)));
  drawer.observe($("drawer"), { childList: true });
  mine.signal.onabort = () => drawer.disconnect();
  document.addEventListener("console", send, { once: true, signal: mine.signal });
  await openPanel("kubectl");
  if (!came) mine.abort();
}

// Enter goes on, wherever the focus is not on something that Enter means something to.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === body && $("l-next")) $("l-next").click(), event.preventDefault();
});

// On a phone one of the two is shown.
function side(name) {
  body.dataset.side = name;
  for (const button of document.querySelectorAll(".sides button")) button.ariaPressed = button.dataset.side === name;
}
document.querySelector(".sides").addEventListener("click", ({ target }) => target.dataset.side && side(target.dataset.side));
