// The board in words: the same pods as a table, for those who read better than they look and for counts beyond drawing.
import { age, find, make, svg } from "./format.js";
import { open } from "./drawer.js";
import { figures } from "./traffic.js";
import { byKind, link, onPaint, ui } from "./state.js";

const box = document.getElementById("table");
const button = document.getElementById("table-view");
const COLUMNS = ["Pod", "Namespace", "Status", "Ready", "Restarts", "Version", "Node", "IP", "Age", "Requests", "Failed"];
const MOST = 1000;
let drawn = 0;

function draw() {
  drawn = 0;
  const pods = byKind("pod").filter((row) => !ui.namespace || row.namespace === ui.namespace).sort((a, b) => a.id.localeCompare(b.id));
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const textContent of COLUMNS) head.append(make("th", { textContent, scope: "col" }));
  const body = table.createTBody();
  for (const row of pods.slice(0, MOST)) {
    const line = body.insertRow();
    line.dataset.id = row.id;
    line.dataset.state = row.state;
    line.tabIndex = 0;
    const cells = [row.name, row.namespace, row.status, row.ready, row.restarts || 0, row.called || "", row.node || "–", row.ip || "–", age(row.created)];
    for (const cell of cells) line.insertCell().textContent = cell;
    for (const [at, as] of [[0, "rate"], [1, "share"]]) Object.assign(line.insertCell().dataset, { fig: `pods ${row.uid} ${at}`, as });
    const icon = svg("svg", { "aria-hidden": "true" });
    icon.append(svg("use", { href: `#s-${row.state}` }));
    line.cells[2].prepend(icon);
  }
  const focused = box.contains(document.activeElement) && document.activeElement.dataset.id;
  const { scrollTop } = box;
  box.replaceChildren(table);
  box.scrollTop = scrollTop;
  figures();
  if (focused) find(box, focused)?.focus();
}

// Shows the table in the board's place, or the board again.
export function start(on = box.hidden) {
  box.hidden = !on;
  document.body.dataset.view = on ? "table" : "board";
  document.querySelector(".plane").hidden = on;
  button.ariaPressed = on;
  link({ view: on && "table" });
  if (on) draw();
}

onPaint(() => {
  if (!box.hidden && !drawn) drawn = setTimeout(draw, 250);
});
for (const type of ["click", "keydown"])
  box.addEventListener(type, (event) => {
    const line = event.target.closest("tr[data-id]");
    if (line && (type === "click" || event.key === "Enter")) open(line.dataset.id);
  });
