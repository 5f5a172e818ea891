// The same pods as a table: for those who read better than they look, and for counts beyond drawing.
import { age, shape } from "./format.js";
import { open } from "./drawer.js";
import { byKind, onPaint, ui } from "./state.js";

const box = document.getElementById("table");
const button = document.getElementById("table-view");
const COLUMNS = ["Pod", "Namespace", "Status", "Ready", "Restarts", "Version", "Node", "IP", "Age"];
const MOST = 1000;
let drawn = 0;

function draw() {
  drawn = 0;
  const pods = byKind("pod").filter((row) => !ui.namespace || row.namespace === ui.namespace).sort((a, b) => a.id.localeCompare(b.id));
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of COLUMNS) head.append(Object.assign(document.createElement("th"), { textContent: name, scope: "col" }));
  const body = table.createTBody();
  for (const row of pods.slice(0, MOST)) {
    const line = body.insertRow();
    line.dataset.open = row.id;
    line.dataset.state = row.state;
    line.tabIndex = 0;
    const cells = [row.name, row.namespace, row.status, row.ready, row.restarts || 0, row.version ? `v${row.version}` : "", row.node || "–", row.ip || "–", age(row.created)];
    for (const cell of cells) line.insertCell().textContent = cell;
    line.cells[2].prepend(shape(row.state));
  }
  const focused = box.contains(document.activeElement) && document.activeElement.dataset.open;
  const { scrollTop } = box;
  box.replaceChildren(table);
  box.scrollTop = scrollTop;
  if (focused) box.querySelector(`[data-open="${CSS.escape(focused)}"]`)?.focus();
}

export function toggleTable(on = box.hidden) {
  box.hidden = !on;
  document.body.dataset.view = on ? "table" : "board";
  for (const part of document.querySelectorAll("#plane, .more-nodes")) part.hidden = on;
  button.setAttribute("aria-pressed", String(on));
  const query = new URLSearchParams(location.search);
  on ? query.set("view", "table") : query.delete("view");
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  if (on) draw();
}

onPaint(() => {
  if (!box.hidden && !drawn) drawn = setTimeout(draw, 250);
});
for (const type of ["click", "keydown"])
  box.addEventListener(type, (event) => {
    const line = event.target.closest("tr[data-open]");
    if (line && (type === "click" || event.key === "Enter")) open(line.dataset.open);
  });
