// The keyboard. The grid of nodes and pods is one tab stop; arrows move in it.
import { run } from "./actions.js";
import { close, open, openPanel } from "./drawer.js";
import { want, wanted } from "./rail.js";
import { rows } from "./state.js";

const grid = document.getElementById("plane");
const columnsOf = () =>
  [...grid.querySelectorAll("#tray, .node")].map((column) => [...column.querySelectorAll(".head, .pod[role]")].filter((cell) => !cell.hidden)).filter((cells) => cells.length);

let last = null;
// One cell can be reached by Tab: where the focus was, or the first.
export function tabStop() {
  if (last?.isConnected && last.tabIndex === 0) return;
  const first = grid.querySelector(".node .head, .pod[role]");
  if (first) (last = first).tabIndex = 0;
}

const focus = (cell) => cell?.focus();
grid.addEventListener("focusin", ({ target }) => {
  if (!target.matches(".pod, .head")) return;
  if (last) last.tabIndex = -1;
  (last = target).tabIndex = 0;
});

// Up and down in a column (the tray is one too), left and right between them.
function move(cell, key) {
  const columns = columnsOf();
  const x = columns.findIndex((cells) => cells.includes(cell));
  if (x < 0) return;
  const y = columns[x].indexOf(cell);
  if (key === "Home" || key === "End") focus(columns[x].at(key === "Home" ? 0 : -1));
  else if (key === "ArrowUp" || key === "ArrowDown") focus(columns[x][y + (key === "ArrowDown" ? 1 : -1)]);
  else {
    const beside = columns[x + (key === "ArrowRight" ? 1 : -1)];
    if (beside) focus(beside[Math.min(y, beside.length - 1)]);
  }
}

const idOf = (element) => element?.closest("[data-id]")?.dataset.id;

grid.addEventListener("click", (event) => {
  const cell = event.target.closest(".pod, .head");
  if (!cell || event.target.closest("button")) return;
  focus(cell);
  open(idOf(cell));
});

const press = (id) => () => document.getElementById(id).click();
const GLOBAL = {
  p: press("live"), t: press("table-view"), b: press("projector"), d: press("theme"), "?": press("help"),
  "/": press("open-palette"), n: () => openPanel("create"), a: () => openPanel("add-node"), Escape: close,
};
const POD = { k: "kill", Delete: "delete", Backspace: "delete" };

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") return event.preventDefault(), GLOBAL["/"]();
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (target.matches("input, textarea, select") && !(key === "Escape")) return;
  const row = rows.get(idOf(target));
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (target.matches(".pod, .head") && /^(Arrow|Home$|End$)/.test(key)) move(target, key);
  else if (target.matches(".pod, .head") && (key === "Enter" || key === " ")) open(row.id);
  else if (row?.kind === "pod" && POD[name] && target.matches(".pod")) run(POD[name], row);
  else if (row?.kind === "node" && name === "c") run("cordon", row);
  else if ((key === "+" || key === "=" || key === "-") && row) resize(row, key === "-" ? -1 : 1);
  else if (GLOBAL[name]) GLOBAL[name]();
  else return;
  event.preventDefault();
});

function resize(row, by) {
  const id = row.kind === "deployment" ? row.id : row.owner;
  if (id) want(id, wanted(id) + by);
}
