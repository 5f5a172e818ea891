// The drawer: fragments drawn by the server, kept about the right thing, live, and addressed by a link.
import { csrf, toast } from "./actions.js";
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
  const answer = await fetch(url, options).catch(() => null);
  if (mine !== latest) return;
  if (!answer || !(answer.ok || answer.status === 404 || answer.status === 422))
    return toast("The lab does not answer. Try again when the board says Live.", { kind: "error" });
  const focused = drawer.contains(document.activeElement) && document.activeElement.id;
  const { scrollTop } = drawer;
  hush();
  drawer.innerHTML = await answer.text();
  drawer.scrollTop = scrollTop;
  if (focused) document.getElementById(focused)?.focus();
  tab = drawer.firstElementChild.dataset.tab || "";
  const made = drawer.firstElementChild.dataset.open;
  if (made) return open(made);
  link();
  follow(drawer.querySelector(".log"));
  editors(drawer);
}

function link() {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries({ object: ui.selected, tab, namespace: ui.namespace })) value ? query.set(key, value) : query.delete(key);
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
}

export function open(id, wanted = "") {
  const before = ui.selected;
  ui.selected = id;
  tab = wanted || (before.split("/")[0] === id.split("/")[0] ? tab : "");
  document.body.dataset.drawer = "open";
  load(`${base}board/drawer/${id}${tab ? `?tab=${tab}` : ""}`);
  mark();
}

export function openPanel(name) {
  ui.selected = "";
  document.body.dataset.drawer = "open";
  load(`${base}board/panel/${name}`);
  mark();
}

export function close() {
  if (document.body.dataset.drawer === "closed") return;
  const was = ui.selected;
  ui.selected = tab = "";
  document.body.dataset.drawer = "closed";
  hush();
  drawer.replaceChildren(document.getElementById("t-welcome").content.cloneNode(true));
  mark();
  document.querySelector(`[data-id="${CSS.escape(was)}"]`)?.focus();
}

function mark() {
  link();
  expand(ui.selected);
  redraw();
}

export const setNamespace = (name) => {
  ui.namespace = name;
  mark();
};

// A fragment that shows a thing is fetched again when the thing changes, unless someone is busy in it.
onPaint(({ changed, removed }) => {
  const id = ui.selected;
  if (!id || (!changed.has(id) && !removed.has(id)) || stale) return;
  stale = setTimeout(() => {
    stale = 0;
    const busy = drawer.querySelector("form:focus-within, .log, .yaml") || String(getSelection()).length;
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
  else if (event.target.closest("[data-get]")) load(event.target.closest("[data-get]").dataset.get);
  else if (event.target.closest("[data-show]")) open(event.target.closest("[data-show]").dataset.show);
});
drawer.addEventListener("input", (event) => {
  const form = event.target.closest(".confirm");
  if (form) form.querySelector("button").disabled = event.target.value !== form.dataset.name;
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
  if (object && rows.has(object)) open(object, query.get("tab") || "");
  schedule();
}
