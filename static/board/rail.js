// The cards of workloads: what is asked, what stands, and the handles to change it.
import { act, scale } from "./actions.js";
import { age, countdown, make, now, put, shape, span, svg, write } from "./format.js";
import { open } from "./drawer.js";
import { byKind, each, onPaint, rows, ui } from "./state.js";

const list = document.getElementById("rail");
const held = new Map(); // id → replicas asked for and not yet seen in the log: the figure never jumps back meanwhile
const cards = each("workload", (row) => list.querySelector(`[data-what=${row.what}]`), fill);

function fill(card, row) {
  const $ = (selector) => card.querySelector(selector);
  const desired = row.desired || 0;
  const [scaler, release] = [rows.get(row.scaler), rows.get(row.release)];
  if (held.get(row.id) === desired) held.delete(row.id);
  put(card, { ...row, scaler, release, shown: wanted(row.id), ready: row.mark || row.ready, when: when(row), place: row.namespace === "default" ? "" : row.namespace });
  card.dataset.state = row.state;
  expand(card, ui.selected === row.id);
  ring($(".rings .new"), row.oldTotal ? row.newReady : row.ready, desired);
  $(".what").title = row.image;
  $(".open").ariaLabel = `${row.what} ${row.name}: ${row.words}`;
  card.ariaLabel = row.name;
  $(".replicas").hidden = !row.scales;
  $(".replicas input").max = Math.max(20, Math.ceil(desired / 10) * 20);
  settle($(".replicas input"), wanted(row.id));
  const left = row.until ? countdown(row.until) : 0;
  write($(".trouble"), [row.trouble, row.held].filter(Boolean).join(" · ") + (left ? `, again in ${left} s` : ""));
  $(".scaler").hidden = !scaler;
  $(".scaler").dataset.show = row.scaler;
  if ($(".parts")) return parts($(".parts"), row);
  card.classList.toggle("rolling", !!row.oldTotal);
  ring($(".rings .old"), row.oldReady, desired);
  settle($(".image input"), row.image);
  $(".image input").title = row.image;
  rollout($(".rollout"), row, !!row.oldTotal, desired);
  write($('[data-do="pause"]'), row.paused ? "Resume" : "Pause");
  $('[data-do="undo"]').disabled = row.revision < 2;
  $('[data-panel="autoscale"]').hidden = !!scaler;
  $('[data-panel="expose"]').hidden = !!row.services;
  steer($(".release"), release);
}

const ring = (circle, part, whole) => circle.setAttribute("stroke-dasharray", `${whole ? Math.min(100, (100 * (part || 0)) / whole) : 0} 100`);

// Of a CronJob: when it runs, and when it last ran.
function when({ next, last }) {
  const left = next - now();
  return [next && (left > 0 ? `next in ${span(left)}` : "due"), last && `last ${age(last)} ago`].filter(Boolean).join(" · ");
}

// The Jobs of a CronJob that are at work.
const MOST_PARTS = 3;
function parts(box, { id }) {
  const going = byKind("part").filter((row) => row.owner === id && row.state === "starting");
  box.replaceChildren(
    ...going.slice(0, MOST_PARTS).map((row) => {
      const [item, button, icon] = [make("li"), make("button", { type: "button", className: "link" }), svg("svg", { "aria-hidden": "true" })];
      Object.assign(button.dataset, { show: row.id, state: row.state });
      icon.append(svg("use", { href: `#s-${row.state}` }));
      button.append(icon, row.name);
      item.append(button, make("small", { textContent: row.words }));
      return item;
    }),
  );
}

// What somebody holds is left alone. True if it was set.
function settle(input, value) {
  if (input.matches(":active, :focus")) return false;
  input.value = value;
  return true;
}

// A release while it goes on: how many visitors have the new version, and what they get. Afterwards how it ended.
function steer(box, row) {
  const $ = (selector) => box.querySelector(selector);
  box.hidden = !row;
  if (!row) return;
  Object.assign(box.dataset, { type: row.type, phase: row.phase, over: !!row.over });
  shape($(".message"), `s-${($(".message").dataset.state = row.state)}`);
  $(".link").dataset.show = row.id;
  if (settle($(".weight"), row.weight || 0)) write($(".share"), `${row.weight || 0} %`);
  $('[data-do="hold"]').dataset.with = JSON.stringify({ pause: !row.paused });
  const left = row.pause && row.since && !row.over ? countdown(row.since + row.pause) : 0;
  write($(".left"), left ? `${left} s` : "");
  write($("th.was"), row.names[0]);
  write($("th.is"), row.names[1]);
  for (const [at, line] of [...$(".sides").tBodies[0].rows].entries())
    row.keys?.forEach((key, side) => (line.cells[side + 1].dataset.fig = `versions ${key} ${at}`));
  [...$(".sides").tBodies[1].rows].forEach((line, at) => {
    const judged = row.judged?.[at];
    line.hidden = !judged;
    judged?.words.forEach((words, cell) => write(line.cells[cell], words));
    line.classList.toggle("bad", !!judged?.bad);
  });
}

function rollout(box, row, rolling, desired) {
  box.hidden = !rolling;
  if (!rolling) return;
  const whole = Math.max(desired, (row.oldTotal || 0) + (row.newTotal || 0)) || 1;
  const bar = (name, attribute, count) => box.querySelector(`rect.${name}`).setAttribute(attribute, (100 * (count || 0)) / whole);
  bar("was", "width", row.oldTotal);
  bar("is", "x", row.oldTotal);
  bar("is", "width", row.newTotal);
  bar("want", "x", Math.max(0, desired - 0.008 * whole));
}

onPaint(({ fresh, changed, removed }) => {
  if (!fresh) for (const row of [...[...changed].map((id) => rows.get(id)), ...removed.values()]) if (["release", "autoscaler", "part"].includes(row?.kind)) refill(row.owner);
});

const refill = (id) => cards.has(id) && rows.has(id) && fill(cards.get(id), rows.get(id));

// The card of what is open in the drawer has its handles out.
function expand(card, on) {
  card.classList.toggle("selected", on);
  const controls = card.querySelector(".controls");
  if (!controls) return;
  controls.hidden = !on;
  card.querySelector(".open").ariaExpanded = on;
}

// Asks for so many replicas: shown at once, sent when the hand rests, so that five clicks are one wish.
const timers = new Map();
export function want(id, replicas) {
  const row = rows.get(id);
  if (!row) return;
  const wanted = Math.max(0, replicas);
  held.set(id, wanted);
  fill(cards.get(id), row);
  clearTimeout(timers.get(id));
  timers.set(id, setTimeout(async () => {
    const done = await scale(row, wanted);
    // The log says it in a moment; if it never does, somebody else has asked for another number.
    setTimeout(() => {
      if (held.get(id) === wanted) held.delete(id);
      refill(id);
    }, done ? 2000 : 0);
  }, 180));
}
export const wanted = (id) => held.get(id) ?? (rows.get(id)?.desired || 0);

list.addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  const step = event.target.closest("[data-step]");
  if (!card) return;
  if (step) want(card.dataset.id, wanted(card.dataset.id) + Number(step.dataset.step));
  else if (event.target.closest(".open")) open(card.dataset.id);
});
list.addEventListener("input", (event) => {
  if (event.target.matches(".weight")) event.target.closest(".release").querySelector(".share").textContent = `${event.target.value} %`;
  else if (event.target.type === "range") want(event.target.closest(".card").dataset.id, Number(event.target.value));
});
// Written when the hand lets go.
list.addEventListener("change", async ({ target }) => {
  if (!target.matches(".weight")) return;
  const { id } = target.closest(".card").dataset;
  const { namespace, name } = rows.get(id);
  if (!(await act("weigh", { namespace, name, weight: Number(target.value) }))) refill(id);
});
list.addEventListener("submit", (event) => {
  event.preventDefault();
  const row = rows.get(event.target.closest(".card").dataset.id);
  act("image", { namespace: row.namespace, name: row.name, container: row.container, image: event.target.elements.image.value });
});
setInterval(() => byKind("workload").forEach((row) => (row.until || row.release || row.next || row.last) && refill(row.id)), 1000);
