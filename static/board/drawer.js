// The drawer: fragments drawn by the server, kept about the right thing, live, and addressed by a link.
import { ask, csrf, toast } from "./actions.js";
import { expand } from "./rail.js";
import { onPaint, redraw, rows, schedule, ui } from "./state.js";
import { follow, hush } from "./log.js";
import { editors } from "./editor.js";

const drawer = document.getElementById("drawer");
const base = document.body.dataset.base;
let tab = "";
let stale = 0;
let latest = 0;

async function load(url, options) {
  const mine = ++latest;
  const answer = await ask(url, options, !options).catch(() => null);
  if (mine !== latest) return;
  if (!answer || !(answer.ok || answer.status === 404 || answer.status === 422))
    return toast("The lab does not answer. Try again when the board says Live.", { kind: "error" });
  const text = await answer.text();
  if (mine !== latest) return;
  const focused = drawer.contains(document.activeElement) && mark(document.activeElement);
  const { scrollTop } = drawer;
  hush();
  drawer.innerHTML = text;
  drawer.scrollTop = scrollTop;
  if (focused) [...drawer.querySelectorAll("button, input, select, textarea, [tabindex]")].find((one) => mark(one) === focused)?.focus();
  tab = drawer.firstElementChild.dataset.tab || "";
  document.body.dataset.drawer = drawer.firstElementChild.dataset.wide ? "wide" : "open";
  const made = drawer.firstElementChild.dataset.open;
  if (made) return open(made);
  link();
  follow(drawer.querySelector(".log"));
  editors(drawer);
}

// What tells an element of a fragment from others: so that the same one has the focus when the fragment comes anew.
const mark = ({ id, dataset, textContent }) => id || [dataset.do, dataset.with, dataset.show, dataset.copy, textContent].join();

function link() {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries({ object: ui.selected, tab, namespace: ui.namespace })) value ? query.set(key, value) : query.delete(key);
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
}

export function open(id, wanted = "", then = undefined) {
  const before = ui.selected;
  ui.selected = id;
  tab = wanted || (before.split("/")[0] === id.split("/")[0] ? tab : "");
  document.body.dataset.drawer = "open";
  load(`${base}board/drawer/${id}${tab ? `?tab=${tab}` : ""}`).then(then);
  select();
}

export function openPanel(name) {
  ui.selected = "";
  document.body.dataset.drawer = "open";
  load(`${base}board/panel/${name}`).then(() => drawer.querySelector("form input:not([type=hidden]), form textarea")?.focus());
  select();
}

// Opens a thing at what must be typed before it is done.
export const openConfirm = (id) => open(id, "", () => document.getElementById("confirm")?.focus());

export function close() {
  if (document.body.dataset.drawer === "closed") return;
  const was = ui.selected;
  ui.selected = tab = "";
  document.body.dataset.drawer = "closed";
  hush();
  latest++;
  drawer.replaceChildren(document.getElementById("t-welcome").content.cloneNode(true));
  select();
  document.querySelector(`[data-id="${CSS.escape(was)}"]`)?.focus();
}

function select() {
  link();
  expand(ui.selected);
  redraw();
}

export const setNamespace = (name) => {
  ui.namespace = name;
  select();
};

// An event about it, a pod on it, a pod of it.
const concerns = (row, id) => row && (row.target === id || row.owner === id || `nodes/${row.node}` === id);

// A fragment that shows a thing is fetched again when the thing changes, unless someone is busy in it.
onPaint(({ changed, removed }) => {
  const id = ui.selected;
  const told = [...changed].some((one) => one === id || concerns(rows.get(one), id));
  if (!id || (!told && !removed.has(id)) || stale) return;
  stale = setTimeout(() => {
    stale = 0;
    const typed = [...drawer.querySelectorAll(".confirm input")].some((input) => input.value);
    const busy = typed || drawer.querySelector("form:focus-within, .log, .yaml") || (String(getSelection()) && drawer.contains(getSelection().anchorNode));
    if (ui.selected === id && !busy && !document.hidden) load(`${base}board/drawer/${id}?tab=${tab}`);
  }, 300);
});

drawer.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy || drawer.querySelector(copy.dataset.from).textContent);
    const words = copy.textContent;
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = words), 1200);
  } else if (event.target.closest("[data-close]")) close();
  else if (event.target.closest("[data-get]")) {
    const { get } = event.target.closest("[data-get]").dataset;
    tab = new URLSearchParams(get.split("?")[1]).get("tab") || ""; // at once: a refresh meanwhile must not bring the old one
    load(get);
  }
  else if (event.target.closest("[data-show]")) open(event.target.closest("[data-show]").dataset.show);
});
drawer.addEventListener("input", (event) => {
  const form = event.target.closest(".confirm");
  for (const button of form?.querySelectorAll("button") || []) button.disabled = event.target.value !== form.dataset.name;
});
// What was typed to confirm has served.
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
  const panel = event.target.closest("[data-panel]");
  if (panel) openPanel(panel.dataset.panel);
});

export function restore() {
  const query = new URLSearchParams(location.search);
  ui.namespace = query.get("namespace") || "";
  const object = query.get("object");
  if (object) open(object, query.get("tab") || "");
  schedule();
}
