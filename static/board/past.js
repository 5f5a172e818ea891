// The past: a time line below the board, and the whole board as it stood at any revision. What is live goes on aside.
import { ask, toast } from "./actions.js";
import { open, openPanel } from "./drawer.js";
import { clock, make, span, then, write } from "./format.js";
import { show as tell } from "./main.js";
import { apply, back, link, position, showPast, ui } from "./state.js";
import { figures } from "./traffic.js";

const LONGEST = 1000; // ms: a gap in which nothing changed is not waited for any longer
const AHEAD = 3; // pages
const STALL = 5000; // ms behind: up to that it catches up
const { base } = document.body.dataset;
const box = document.getElementById("past");
const $ = (selector) => box.querySelector(selector);
const handle = $("input");
const history = { first: 1, last: 0, marks: [] };
let on = false;
let wanted = 0; // where the handle is
let asking = null; // one request at a time, however fast the handle moves
let playing = null;
let a = 0; // the moment that is compared with
let paused = false; // whether the live board was
let trouble = "";

async function get(path) {
  const answer = await ask(base + path);
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.message), { code: answer.status });
  return said;
}

// Opens the time line at a revision; `from`: it begins there.
export async function start(revision = position.seq, from = 1) {
  if (on) return handle.focus();
  on = true;
  history.first = from;
  [paused, ui.paused] = [ui.paused, false];
  for (const part of box.children) part.hidden = part.classList.contains("closed");
  playLooks();
  handle.max = position.seq; // at once: a key that is pressed before the lab has answered counts
  go(revision);
  handle.focus();
  await known();
}

// Where it begins, and its marks: all, then the new.
async function known() {
  try {
    const { begins, head, marks } = await get(`history?from=${history.last}`);
    const first = Math.max(history.first, begins.revision);
    const all = [...history.marks, ...marks].filter(({ revision }) => revision >= first);
    Object.assign(history, { first, last: head.revision, marks: all });
    handle.min = first;
    handle.max = Math.max(head.revision, position.seq, handle.max);
    write($(".begins"), first > begins.revision + 1 ? "the last minute" : `since ${clock(begins.time)}`);
    $(".begins").title = `The history begins at revision ${begins.revision}: what was before is no longer kept`;
    $(".marks").replaceChildren(...ticks(all));
    trouble = "";
    go(wanted);
  } catch (error) {
    failed(error);
  }
}

const part = (revision) => `${(100 * (revision - history.first)) / Math.max(1, handle.max - history.first)}%`;

// Marks in one place are one: it leads to the last.
function ticks(all) {
  const wide = (16 * (handle.max - history.first)) / $(".marks").clientWidth;
  const places = [];
  let from = -wide;
  for (const { kind, revision, time, text } of all) {
    let it = places.at(-1);
    const title = `${clock(time)} ${text}`;
    if (revision - from < wide) {
      it.title += `\n${title}`;
      it.dataset.more = -~it.dataset.more;
    } else {
      places.push((it = make("i", { title })));
      it.style.left = part((from = revision));
    }
    it.dataset.kind = kind;
    it.onclick = () => go(revision);
  }
  return places;
}

// The newest wish counts.
function go(revision) {
  wanted = Math.min(Math.max(revision, history.first), Math.max(position.seq, handle.max));
  asking ||= fetchWanted().finally(() => (asking = null));
  move();
  return asking;
}

async function fetchWanted() {
  while (on && wanted !== ui.past) {
    try {
      const moment = await get(`board/past/${wanted}`);
      if (!on) return;
      handle.max = Math.max(moment.head, handle.max);
      showPast(moment.rows);
      arrive(moment);
    } catch (error) {
      return failed(error);
    }
  }
}

function arrive({ revision, time }) {
  const fresh = !ui.past;
  ui.past = revision;
  handle.max = Math.max(revision, handle.max);
  if (fresh) {
    document.body.classList.add("rewound");
    figures({ pods: {}, services: {}, visitors: {}, versions: {}, turns: {} }); // what flowed then nobody has kept
  }
  then.at = time;
  trouble = "";
  document.body.dataset.past = revision;
  move();
  tell();
}

function failed(error) {
  pause();
  trouble = error.code === 410 ? "No longer kept." : error.code ? error.message : "The lab does not answer.";
  if (error.code && ui.past) wanted = ui.past;
  else if (error.code) toast(error.message, { kind: "error", seconds: 10 }), live();
  move();
}

// The handle, and in words which moment this is.
function move() {
  if (!on) return;
  if (document.activeElement !== handle || playing || Number(handle.value) !== wanted) handle.value = wanted;
  const mark = history.marks.find(({ revision }) => revision === ui.past);
  const words = ui.past ? `${clock(then.at)} · r ${ui.past}` : "…";
  handle.ariaValueText = [words, mark?.text].filter(Boolean).join(", ");
  write($("output b"), words);
  write($("output small"), trouble || mark?.text || (then.at ? `${span(Date.now() / 1000 + then.off - then.at)} ago` : ""));
  $("output").classList.toggle("bad", !!trouble);
  $(".from").hidden = !a;
  $(".from").style.left = part(a);
  $('[data-past="compare"]').disabled = !a || a === ui.past;
  if (!playing) link({ at: ui.past });
}

// Plays on from here: each revision as the live board would have shown it, by the clock of then; what is due is drawn at
// once. Some pages are asked for ahead, each when it is known where the one before it ends.
async function play() {
  const mine = (playing = {});
  const speed = () => Number($("select").value);
  const page = ({ until }) => playing === mine && get(`board/past/${until}/on?speed=${speed()}`);
  handle.focus();
  playLooks();
  try {
    await asking;
    const pages = [page({ until: ui.past })];
    let due = performance.now();
    while (playing === mine) {
      while (pages.length < AHEAD) pages.push(pages.at(-1).then(page)), pages.at(-1).catch(() => {}); // who waits for it is told
      const { steps, until, time } = await pages.shift();
      if (until === wanted && !steps.length) return pause();
      let here;
      for (const step of steps) {
        due += Math.min(LONGEST, (1000 * (step.time - then.at)) / speed());
        const now = performance.now();
        if (due < now - STALL) due = now; // a machine that slept goes on from here
        if (due > now + 8) {
          if (here) arrive(here);
          await new Promise((done) => setTimeout(done, due - now));
          if (playing !== mine) return;
        }
        apply(step);
        [here, wanted, then.at] = [step, step.revision, step.time];
      }
      if (playing === mine) arrive(until > wanted ? { revision: (wanted = until), time } : here);
    }
  } catch (error) {
    failed(error);
  }
}

function pause() {
  playing = null;
  playLooks();
  move();
}

function playLooks() {
  document.body.classList.toggle("leaps", on && !playing);
  const button = $('[data-past="play"]');
  button.querySelector("use").setAttribute("href", playing ? "#i-pause" : "#i-play");
  button.ariaLabel = button.title = playing ? "Pause (Space)" : "Play on from here (Space)";
}

function jump(way) {
  const there = way < 0 ? history.marks.findLast(({ revision }) => revision < wanted) : history.marks.find(({ revision }) => revision > wanted);
  go(there?.revision ?? (way < 0 ? history.first : position.seq));
}

function live() {
  if (!on) return;
  on = false;
  playing = null;
  playLooks();
  for (const part of box.children) part.hidden = !part.classList.contains("closed");
  if (ui.past) back();
  ui.past = then.at = a = 0;
  ui.paused = paused;
  document.body.classList.remove("rewound");
  delete document.body.dataset.past;
  link({ at: 0 });
  tell();
  document.getElementById("rewind").focus();
}

const DO = {
  live,
  play: () => (playing ? pause() : play()),
  back: () => step(-1),
  on: () => step(1),
  last: () => step(-1, jump),
  next: () => step(1, jump),
  thread: () => open(`revisions/${ui.past}`),
  mark: () => ((a = ui.past), move()),
  compare: () => openPanel("difference", `${Math.min(a, ui.past)}-${Math.max(a, ui.past)}`),
};

function step(way, how = () => go(wanted + way)) {
  pause();
  how(way);
}

box.addEventListener("click", ({ target }) => DO[target.closest("[data-past]")?.dataset.past]?.());
handle.addEventListener("input", () => {
  playing && pause();
  go(Number(handle.value));
});

// What the past does not let happen is caught before anybody else hears of it.
const ACTS = "[data-do], [data-step], [data-panel], [data-try], .replicas, .weight, #rate, .drawer form";
for (const type of ["click", "input", "change", "submit"])
  addEventListener(type, (event) => {
    const { target } = event;
    if (!on || !(target instanceof Element)) return;
    if (type === "click" && target.closest("#live")) live();
    else if (!target.closest(ACTS)) return;
    else if (type === "click") toast("This is the past: nothing can be done there. Return to live first (Esc).", { kind: "error" });
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

const KEYS = { Escape: "live", " ": "play", "[": "last", "]": "next", ",": "back", ".": "on" };
addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (!on || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = target.matches("textarea, select, input:not([type=range], [type=radio])");
  const name = target === handle && key === "Enter" ? "thread" : typing && key !== "Escape" ? "" : KEYS[key];
  if (name === "play" && target.matches("button, [role], summary")) return;
  if (name) DO[name]();
  else if (typing || !/^[nahvxp+=-]$/i.test(key)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// A lab that answers again is asked again, and what goes on meanwhile has its marks; the line does not grow under a hand.
setInterval(() => on && (trouble || position.seq > history.last) && !handle.matches(":active") && known(), 2000);
