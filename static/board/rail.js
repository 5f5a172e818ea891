// The cards of deployments: what is asked, what stands, and the handles to change it.
import { act, scale } from "./actions.js";
import { countdown } from "./format.js";
import { open } from "./drawer.js";
import { byKind, onPaint, rows, ui } from "./state.js";

const list = document.querySelector("#rail .cards");
const cards = new Map();
const held = new Map(); // id → replicas asked for and not yet seen in the log: the figure never jumps back meanwhile

function fill(card, row) {
  const $ = (selector) => card.querySelector(selector);
  card.dataset.id = row.id;
  const [desired, ready] = [row.desired || 0, row.ready || 0];
  const rolling = !!row.oldTotal;
  card.classList.toggle("rolling", rolling);
  card.classList.toggle("whole", !rolling && ready >= desired);
  card.hidden = !!ui.namespace && row.namespace !== ui.namespace;
  const ring = (selector, part) => $(selector).setAttribute("stroke-dasharray", `${desired ? Math.min(100, (100 * part) / desired) : 0} 100`);
  ring(".rings .old", row.oldReady || 0);
  ring(".rings .new", rolling ? row.newReady || 0 : ready);
  $(".rings text").textContent = ready < 1000 ? ready : `${+(ready / 1000).toFixed(1)}k`;
  $(".what b").textContent = row.name;
  $(".what small").textContent = row.image;
  $(".what small").title = row.image;
  $(".open").setAttribute("aria-label", `${row.name}, ${row.image}: ${ready} of ${desired} ready`);
  if (held.get(row.id) === desired) held.delete(row.id);
  const shown = held.get(row.id) ?? desired;
  $(".stepper output").textContent = shown;
  $(".replicas").setAttribute("aria-label", `Replicas of ${row.name}`);
  const slide = $(".replicas input");
  if (!slide.matches(":active, :focus")) {
    slide.max = Math.max(20, Math.ceil(desired / 10) * 20);
    slide.value = shown;
  }
  const left = row.until ? countdown(row.until) : 0;
  $(".trouble").textContent = [row.paused && "paused", row.stuck, row.trouble && row.trouble + (left ? `, again in ${left} s` : "")].filter(Boolean).join(" · ");
  rollout($(".rollout"), row, rolling, desired);
  $('[data-do="pause"]').textContent = row.paused ? "Resume" : "Pause";
  $('[data-do="undo"]').disabled = row.revision < 2;
  const scaler = rows.get(row.scaler);
  $(".scaler").hidden = !scaler;
  $(".scaler").dataset.show = row.scaler;
  if (scaler) $(".scaler").textContent = `${scaler.least || 0}–${scaler.most} · ${scaler.metrics || "no metric"} · now ${scaler.current || 0}`;
  $('[data-panel="autoscale"]').hidden = !!scaler;
  $('[data-panel="expose"]').hidden = !!row.services;
  release($(".release"), rows.get(row.release), row);
  const image = $(".image input");
  if (document.activeElement !== image) image.value = row.image;
}

// A release while it goes on: how many visitors have the new version, and what they get. Afterwards one line, until read.
function release(box, row, card) {
  const $ = (selector) => box.querySelector(selector);
  box.hidden = !row;
  if (!row) return;
  const [weight, left] = [row.weight || 0, row.pause && row.since ? countdown(row.since + row.pause) : 0];
  box.dataset.type = row.type;
  box.dataset.over = !!row.over;
  $(".link").dataset.show = row.id;
  $(".link").textContent = `${row.type} · ${row.phase}`;
  const slide = $(".weight");
  if (!slide.matches(":active, :focus")) {
    slide.value = weight;
    $(".share").textContent = `${weight} %`;
  }
  $(".sides").hidden = !row.figures;
  for (const [side, as, version] of [["old", ".was", card.oldRevision], ["new", ".is", card.revision]]) {
    const [, failed, ms] = row.figures?.[side] || [];
    $(`${as} dt`).textContent = `v${version || "–"}`;
    $(`${as} dd`).textContent = ms ? `${failed} % · ${ms} ms` : "–";
  }
  $(".message").textContent = [row.message, left && !row.over && `${left} s`].filter(Boolean).join(" · ");
  $(".hold").textContent = row.paused ? "Go on" : "Pause";
  const switched = row.phase === "Switched";
  $(".promote").textContent = row.type === "BlueGreen" ? "Switch" : "Promote";
  $(".promote").disabled = switched;
  $(".danger").textContent = switched ? "Back" : "Abort";
}

function rollout(box, row, rolling, desired) {
  box.hidden = !rolling;
  if (!rolling) return;
  const whole = Math.max(desired, (row.oldTotal || 0) + (row.newTotal || 0)) || 1;
  const part = (count) => (100 * (count || 0)) / whole;
  box.querySelector("rect.was").setAttribute("width", part(row.oldTotal));
  const is = box.querySelector("rect.is");
  is.setAttribute("x", part(row.oldTotal));
  is.setAttribute("width", part(row.newTotal));
  box.querySelector("rect.want").setAttribute("x", Math.max(0, part(desired) - 0.8));
  box.querySelector("span.was").textContent = `v${row.oldRevision} ${row.oldReady || 0}`;
  box.querySelector("span.allow").textContent = row.surge ? `+${row.surge} −${row.unavailable || 0}` : "recreate";
  box.querySelector("span.allow").title = row.surge ? `at most ${row.surge} more than asked for, ${row.unavailable || 0} fewer` : "all of the old version ends first";
  box.querySelector("span.is").textContent = `v${row.revision} ${row.newReady || 0} of ${desired}`;
}

onPaint(({ fresh, changed, removed }) => {
  for (const [id, row] of removed) if (row.kind === "deployment") cards.get(id)?.remove(), cards.delete(id);
  for (const id of fresh ? rows.keys() : changed) {
    const row = rows.get(id);
    if (row?.kind === "release" || row?.kind === "autoscaler") refill(row.owner);
    if (row?.kind !== "deployment") continue;
    let card = cards.get(id) || list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (!card) {
      card = document.getElementById("t-deployment").content.firstElementChild.cloneNode(true);
      card.querySelector(".image label").htmlFor = card.querySelector(".image input").id = `image-${id}`;
      list.append(card);
    }
    cards.set(id, card);
    fill(card, row);
  }
  document.getElementById("no-deployments").hidden = cards.size > 0;
});

const refill = (id) => cards.has(id) && rows.has(id) && fill(cards.get(id), rows.get(id));

export function expand(id) {
  for (const [key, card] of cards) {
    card.classList.toggle("selected", key === id);
    card.querySelector(".controls").hidden = key !== id;
    card.querySelector(".open").setAttribute("aria-expanded", String(key === id));
  }
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
setInterval(() => byKind("deployment").forEach((row) => (row.until || row.release) && refill(row.id)), 1000);
