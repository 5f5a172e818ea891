// The tiles of the wall: one a learner, the most stuck first. What a tile says is made of its row and of the time.
import { make, still, svg, write } from "../board/format.js";

const $ = (id) => document.getElementById(id);
const list = $("tiles");
export const rows = new Map(); // id → row, as the server has it
export const ui = { names: true, step: 0, open: "", offset: 0, lessons: [], at: null, led: false, slide: "", groups: [], only: "", still: 0, over: false };
const { role, groups } = document.body.dataset;
export const now = () => Date.now() / 1000 + ui.offset;
const spent = (row) => (ui.still ? Math.min(ui.still, now()) : now()) - row.since; // a class that stands still has its minutes stand
const nodes = new Map(); // id → the tile's parts
const STATES = { p: "pending", s: "starting", r: "ready", u: "unready", f: "failed", b: "backoff", l: "leaving", d: "done" };
const QUIET = 2500; // nothing changes its place while somebody aims at it
let touched = 0;

// Those whom somebody wants to see: of the groups whose letters are in `only`, else all.
export const seen = () => [...rows.values()].filter((row) => !ui.only || ui.only.includes(row.group));

export const nameOf = (row) => (ui.names ? row.name : `No. ${row.number}`);
export const lessonOf = (row) => ui.lessons.find((one) => one.id === row.lesson);

const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const span = (seconds) => (seconds < 3600 ? `${Math.floor(Math.max(0, seconds) / 60)} min` : seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`);

// How a tile looks; its words say the same.
export function look(row) {
  if (row.hand) return "asks";
  if (row.fault) return "fault";
  if (row.ended) return "ended";
  if (row.gone) return "idle";
  if (row.waits) return "idle";
  if (!row.step) return spent(row) > 120 ? "late" : "idle";
  if (row.phase === "Passed") return "passed";
  const share = spent(row) / 60 / row.minutes;
  return share > 2 ? "stuck" : share > 1 ? "late" : "works";
}

export function words(row) {
  const time = row.ended || row.gone ? "" : row.phase === "Passed" || !row.step ? span(spent(row)) : `${Math.floor(Math.max(0, spent(row)) / 60)}/${row.minutes} min`;
  const lesson = lessonOf(row);
  const step = row.step ? `${row.step}/${lesson?.steps.length ?? "?"} ${row.title}` : "–";
  const setting = { Setting: "the stage is being set", Predict: "to predict first", Passed: row.ended ? "has passed all steps" : "has passed it" }[row.phase];
  const says = row.gone ? "the cluster is gone" : row.fault ? `The lab’s fault: ${row.says}` : row.waits ? "waits for the class to begin" : row.skips ? "lets the lab show it" : row.says || setting || (row.step ? "" : "has begun no lesson");
  const away = row.away && `away${now() - row.away < 60 ? "" : ` ${span(now() - row.away)}`}`;
  const hints = row.hints && many(row.hints, "hint");
  const alone = row.alone && "on their own";
  const [by, state] = row.help || [];
  const helps = { Asked: "asks", Looks: "looks along", Offers: "offers to act", Acts: "acts" }[state];
  const helped = helps && `${by} ${helps}`;
  const grouped = row.group && `group ${row.group}`;
  const note = [away, alone, hints, row.tries && `↺ ${row.tries}`, row.group].filter(Boolean).join(" · ");
  const noted = [helped, away, alone, hints && `${hints} used`, row.tries && `reset ${many(row.tries, "time")}`, grouped].filter(Boolean).join(", ");
  return { name: nameOf(row), by: by || "", helps: helps || "", asks: row.hand ? "Hand up." : "", time, step, says, note, noted, pods: pods(row) };
}

export function pods(row) {
  const placed = (row.board || []).map((word) => word.slice(1)).join("");
  const all = placed + (row.waiting || "");
  const down = (row.board || []).filter((word) => word[0] === "-").length;
  const ready = [...all].filter((letter) => letter === "r").length;
  return all || down ? `${ready} of ${many(all.length, "pod")} ready${down ? `, ${many(down, "node")} down` : ""}` : "";
}

// A box a node, a shape a pod; what waits for a node stands before them.
export function mini(place, row) {
  const drawn = JSON.stringify([row.waiting, row.board]);
  if (place.dataset.drawn === drawn) return;
  place.dataset.drawn = drawn;
  const box = (letters, className) => {
    const one = make("span", { className });
    for (const letter of letters) {
      const mark = svg("svg", { "data-state": STATES[letter] });
      mark.append(svg("use", { href: `#s-${STATES[letter]}` }));
      one.append(mark);
    }
    return one;
  };
  const waiting = row.waiting ? [box(row.waiting, "tray")] : [];
  place.replaceChildren(...waiting, ...(row.board || []).map((word) => box(word.slice(1), word[0] === "+" ? "node" : "node down")));
}

function tile(id) {
  if (!nodes.has(id)) {
    const item = $("t-tile").content.firstElementChild.cloneNode(true);
    const button = item.firstElementChild;
    button.dataset.id = id;
    nodes.set(id, { item, button, mini: item.querySelector(".mini"), of: [...item.querySelectorAll("[data-of]")] });
  }
  return nodes.get(id);
}

export function draw(ids) {
  for (const id of ids) {
    const row = rows.get(id);
    if (!row) continue;
    const { button, of, mini: place } = tile(id);
    const said = words(row);
    for (const part of of) write(part, said[part.dataset.of]);
    Object.assign(button.dataset, { look: look(row), away: row.away ? "true" : "", broken: row.broken ? "true" : "" });
    button.classList.toggle("dim", ui.step && (row.lesson !== ui.step.lesson || row.step !== ui.step.step));
    button.ariaCurrent = ui.open === id ? "true" : null;
    mini(place, row);
  }
}

export const drawAll = () => draw(rows.keys());

export function remove(id) {
  nodes.get(id)?.item.remove();
  nodes.delete(id);
  rows.delete(id);
}

// An assistant's own groups stand before the others.
const others = (row) => (role === "assistant" && row.group && !groups.includes(row.group) ? 1 : 0);
const ordered = () => seen().sort((a, b) => others(a) - others(b) || a.rank - b.rank || a.number - b.number).map((row) => row.id);
for (const type of ["pointermove", "pointerdown", "keydown"]) list.addEventListener(type, () => (touched = Date.now()));

// Into their places. Whoever is focused stays so: an element that moves loses the focus otherwise.
export function order() {
  const wanted = ordered();
  const there = [...list.children].map((item) => item.firstElementChild.dataset.id);
  if (wanted.length === there.length && (Date.now() - touched < QUIET || wanted.every((id, at) => id === there[at]))) return;
  const focused = document.activeElement;
  const before = new Map(there.map((id) => [id, nodes.get(id)?.item.getBoundingClientRect()]));
  list.replaceChildren(...wanted.map((id) => tile(id).item));
  if (list.contains(focused)) focused.focus({ preventScroll: true });
  fit();
  if (!still.matches && document.visibilityState === "visible") for (const id of wanted) slide(nodes.get(id).item, before.get(id));
  stop();
}

function slide(item, from) {
  if (!from) return;
  const to = item.getBoundingClientRect();
  if (from.left !== to.left || from.top !== to.top)
    item.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }], { duration: 260, easing: "ease-out" });
}

// As large as all of them have room: the width and height of a tile, in ems of its size.
const SIZES = [[26, 15], [19, 12.5], [15, 10.2], [12.4, 9], [10.8, 7.9], [9.9, 7.5], [9.1, 7.1]];
const GAP = 6;
export function fit() {
  const pane = $("tiles-pane");
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const fits = ([width, height]) => {
    const columns = Math.max(1, Math.floor((pane.clientWidth - 2 * GAP) / (width * em + GAP)));
    return Math.ceil(seen().length / columns) * (height * em + GAP) <= pane.clientHeight - GAP;
  };
  const found = SIZES.findIndex(fits);
  list.dataset.size = found < 0 ? SIZES.length - 1 : found;
}
new ResizeObserver(fit).observe($("tiles-pane"));

// One tab stop; arrows walk, by what stands where.
function stop(button = list.querySelector('[tabindex="0"]') || list.querySelector(".tile")) {
  for (const other of list.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
  if (button) button.tabIndex = 0;
}
list.addEventListener("focusin", ({ target }) => stop(target.closest(".tile")));
list.addEventListener("keydown", (event) => {
  const all = [...list.querySelectorAll(".tile")];
  const at = all.indexOf(event.target);
  if (at < 0) return;
  const top = all[0].offsetTop;
  const columns = all.findIndex((one) => one.offsetTop !== top);
  const down = columns < 0 ? all.length : columns;
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + down, ArrowUp: at - down, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  all[to]?.focus();
});

export const focus = (id) => nodes.get(id)?.button.focus();
