// The drawer: fragments drawn by the server, kept about the right thing, live, and addressed by a link.
import { ask, csrf, part, toast } from "./actions.js";
import { make } from "./format.js";
import { link, onPaint, redraw, rows, schedule, ui } from "./state.js";
import { figures } from "./traffic.js";

const drawer = document.getElementById("drawer");
const base = document.body.dataset.base;
let tab = "";
let stale = 0;
let latest = 0;

// `unless`: not if this is so when the answer is there.
async function load(url, options, unless) {
  const mine = ++latest;
  const at = ui.past || new URLSearchParams(location.search).get("at");
  if (at && !options) url += `${url.includes("?") ? "&" : "?"}at=${at}`;
  const answer = await ask(url, options, !options).catch(() => null);
  if (mine !== latest) return;
  if (!(answer?.status < 500 && answer.headers.get("Content-Type").startsWith("text/html")))
    return toast("The lab does not answer. Try again when the board says Live.", { kind: "error" });
  const text = await answer.text();
  if (mine !== latest || unless?.()) return;
  const focused = drawer.contains(document.activeElement) && mark(document.activeElement);
  const { scrollTop } = drawer;
  hush();
  drawer.innerHTML = text;
  drawer.scrollTop = scrollTop;
  if (focused) [...drawer.querySelectorAll("button, input, select, textarea, [tabindex]")].find((one) => mark(one) === focused)?.focus();
  tab = drawer.firstElementChild.dataset.tab || "";
  document.body.dataset.drawer = drawer.firstElementChild.dataset.wide ? "wide" : "open";
  const { open: made, said, command } = drawer.firstElementChild.dataset;
  if (said) toast(said, { command, seconds: 8 });
  if (made) return open(made);
  here();
  figures();
  follow(drawer.querySelector(".log"));
  const [more] = drawer.querySelectorAll("[data-module]");
  if (more) begin(more, (stop = new AbortController()).signal);
}

// Fragments that are more than a document bring a module of their own.
async function begin(box, signal) {
  const { start } = await part(box.dataset.module);
  if (!signal.aborted) start?.(box, signal);
}

// What tells an element of a fragment from others: so that the same one has the focus when the fragment comes anew.
const mark = ({ id, dataset, textContent }) => id || [dataset.do, dataset.with, dataset.show, dataset.copy, textContent].join();

const here = () => link({ object: ui.selected, tab, namespace: ui.namespace });

export function open(id, wanted = "", then = undefined) {
  const before = ui.selected;
  ui.selected = id;
  stale = clearTimeout(stale); // what changed of another must not hide what changes of this one
  tab = wanted || (before.split("/")[0] === id.split("/")[0] ? tab : "");
  document.body.dataset.drawer = "open";
  load(`${base}board/drawer/${id}${tab ? `?tab=${tab}` : ""}`).then(then);
  select(id);
}

// `of`: the id of what it is for.
export function openPanel(name, of) {
  document.body.dataset.drawer = "open";
  select();
  return load(`${base}board/panel/${name}${of ? `?for=${of}` : ""}`).then(() => drawer.querySelector("form input:not([type=hidden]), form textarea, .differs")?.focus());
}

// At what must be typed before it is done.
export const openConfirm = (id) => open(id, "", () => document.getElementById("confirm")?.focus());

export function close() {
  if (document.body.dataset.drawer === "closed") return;
  const was = ui.selected;
  tab = "";
  document.body.dataset.drawer = "closed";
  hush();
  latest++;
  drawer.replaceChildren(document.getElementById("t-welcome").content.cloneNode(true));
  select();
  const of = `[data-id="${was}"]`;
  const find = (wanted) => document.querySelector(wanted);
  if (was) (find(`${of}:is(button, [tabindex]), ${of} :is(.head, button)`) || find(`[data-show="${was}"]`))?.focus();
}

function select(id = "") {
  for (const one of [ui.selected, (ui.selected = id)]) redraw(one);
  here();
}

export const setNamespace = (name) => {
  ui.namespace = name;
  here();
  redraw();
};

// An event about it, a pod on it, a pod of it, the node whose kubelet it is; a wheel that stops is of all the loops, and
// what a stopped loop has before it grows whatever changes.
const concerns = (row, id) => row && ([row.target, row.owner, `nodes/${row.node}`, `loops/kubelet.${row.name}`].includes(id) || (row.kind === "lab" && id === "loops/all") || rows.get(id)?.mode);

// A fragment is fetched again when its thing changes, and for its ages, unless someone is busy in it.
onPaint(({ changed, again, removed }) => {
  const id = ui.selected;
  const told = [...changed].some((one) => !again.has(one) && (one === id || concerns(rows.get(one), id)));
  if (!id || (!told && !removed.has(id)) || stale) return;
  stale = setTimeout(renew, 300);
});

function renew() {
  stale = 0;
  if (ui.selected && !busy() && !document.hidden) load(`${base}board/drawer/${ui.selected}?tab=${tab}`, undefined, busy);
}
setInterval(() => document.body.dataset.live === "live" && renew(), 1e4);

function busy() {
  const typed = [...drawer.querySelectorAll(".confirm input")].some((input) => input.value);
  return typed || drawer.querySelector("form:focus-within, .log, .yaml, [data-module]") || (String(getSelection()) && drawer.contains(getSelection().anchorNode));
}

drawer.addEventListener("click", ({ target }) => {
  const get = target.closest("[data-get]")?.dataset.get;
  if (target.closest("[data-close]")) close();
  else if (get) {
    tab = new URLSearchParams(get.split("?")[1]).get("tab") || ""; // at once: a refresh meanwhile must not bring the old one
    load(get);
  }
});
// A form that shows what it makes does so while one fills it in.
drawer.addEventListener("change", ({ target: { form } }) => {
  if (!form?.closest("[data-look]")) return;
  const body = new FormData(form);
  body.set("then", "look");
  load(form.action, { method: "POST", headers: csrf, body });
});
drawer.addEventListener("input", (event) => {
  const form = event.target.closest(".confirm");
  for (const button of form?.querySelectorAll("button") || []) button.disabled = event.target.value !== form.dataset.name;
});
drawer.addEventListener("acted", () => {
  for (const input of drawer.querySelectorAll(".confirm input")) input.value = "";
  if (ui.selected) load(`${base}board/drawer/${ui.selected}?tab=${tab}`);
});
drawer.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.action && form.method === "post") load(form.action, { method: "POST", headers: csrf, body: new FormData(form, event.submitter) });
});
drawer.addEventListener("keydown", (event) => {
  if (event.target.role !== "tab" || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const tabs = [...drawer.querySelectorAll("[role=tab]")];
  tabs.at((tabs.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)) % tabs.length).focus();
});
document.addEventListener("click", (event) => {
  const [panel, show] = ["[data-panel]", "[data-show]"].map((what) => event.target.closest(what));
  if (panel) openPanel(panel.dataset.panel, panel.closest("[data-id]")?.dataset.id);
  else if (show) open(show.dataset.show || show.closest("[data-id]").dataset.id, show.dataset.tab);
});

// Logs: the API's own log endpoint, followed by a streaming fetch.
const LINES = 2000;
let stop = null;

function hush() {
  stop?.abort();
  stop = null;
}

async function follow(box) {
  hush();
  if (!box) return;
  const mine = (stop = new AbortController());
  let tail = 200;
  while (!mine.signal.aborted && box.isConnected) {
    await stream(box, `${box.dataset.url}&follow=true&tailLines=${tail}`, mine.signal);
    if (mine.signal.aborted) return;
    note(box, "— the stream ended; waiting for the container —");
    tail = 50;
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}

async function stream(box, url, signal) {
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) return note(box, (await answer.json()).message);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) write(box, part.value);
  } catch (error) {
    if (error.name !== "AbortError") note(box, "— the connection was lost —");
  }
}

function write(box, text) {
  const below = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  box.append(text);
  while (box.childNodes.length > LINES) box.firstChild.remove();
  if (below) box.scrollTop = box.scrollHeight;
}

function note(box, words) {
  if (box.lastChild?.textContent === `${words}\n`) return;
  box.append(make("span", { className: "cut", textContent: `${words}\n` }));
}

export function restore() {
  const query = new URLSearchParams(location.search);
  ui.namespace = query.get("namespace") || "";
  const object = query.get("object");
  if (object) open(object, query.get("tab") || "");
  schedule();
}
