// Saying what one wants: by a key or by typing it. The grid of nodes and pods is one tab stop; arrows move in it.
import { copy, run, toast, told } from "./actions.js";
import { close, open, openConfirm, openPanel } from "./drawer.js";
import { make } from "./format.js";
import { want, wanted } from "./rail.js";
import { byKind, rows } from "./state.js";

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

const focus = (cell, options) => cell?.focus(options);
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
  focus(cell, { preventScroll: true }); // what one points at stays under the hand
  open(idOf(cell));
});

const press = (id) => () => document.getElementById(id).click();
const GLOBAL = {
  p: press("live"), t: press("table-view"), b: press("projector"), d: press("theme"), "?": press("help"),
  "/": press("open-palette"), v: () => document.getElementById("rate").focus(), n: () => openPanel("create"), y: yank, x: () => openPanel("kubectl"), a: () => openPanel("add-node"), h: press("rewind"), Escape: close,
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

async function yank() {
  const [last] = told.slice(-1);
  if (!last) toast("Do something first: then this copies the kubectl command for it.");
  else if (await copy(last.command)) toast(`Copied: ${last.command}`);
}

function resize(row, by) {
  const id = row.kind === "workload" ? row.id : row.owner;
  if (rows.get(id)?.scales) want(id, wanted(id) + by);
}

// The command palette: type a name to go there, or a verb and a name to act.
const box = document.getElementById("palette");
const input = box.querySelector("input");
const list = box.querySelector("ul");
const { base } = document.body.dataset; // a lesson's page has another address than the board
let found = [];
let at = 0;

function* commands(words) {
  const number = words.find((word) => /^\d+$/.test(word));
  yield ["New deployment", "", () => openPanel("create")];
  yield ["Add a node", "", () => openPanel("add-node")];
  yield ["kubectl command line", "", () => openPanel("kubectl")];
  yield ["New pool of machines", "", () => openPanel("pool")];
  yield ["Images", "page", () => window.open(`${base}images`)]; // beside the board: who reads it wants to come back
  yield ["Bundle for another Kubernetes", "zip", () => (location = `${base}bundle.zip?namespace=${document.getElementById("namespace").value}`)];
  for (const row of byKind("service")) {
    yield [`Open ${row.name}`, "service", () => open(row.id)];
    yield [`Visitors for ${row.name}`, "", () => openPanel("visitors", row.id)];
  }
  for (const row of [...byKind("workload"), ...byKind("part")]) {
    const what = row.namespace === "default" ? row.what : `${row.what} · ${row.namespace}`;
    yield [`Open ${row.name}`, what, () => open(row.id)];
    if (row.scales) yield [`Scale ${row.name} to ${number ?? "…"}`, what, () => (number ? want(row.id, Number(number)) : toast(`Type a number too: scale ${row.name} 5`))];
    for (const [name, words] of row.acts || []) yield [`${words} ${row.name}`, what, () => run(name, row)];
    if (row.container) for (const name of ["Release", "Autoscale", "Expose"]) yield [`${name} ${row.name}`, "", () => openPanel(name.toLowerCase(), row.id)];
    yield [`Delete ${row.name}`, `${what}, asks for its name`, () => openConfirm(row.id)];
  }
  for (const row of byKind("node")) {
    yield [`Open ${row.name}`, "node", () => open(row.id)];
    yield [`${row.cordoned ? "Uncordon" : "Cordon"} ${row.name}`, "", () => run("cordon", row)];
    yield [`Drain ${row.name}`, "shows first what moves", () => open(row.id, "drain")];
    if (row.off) yield [`Power ${row.name} on`, "", () => run("power-on", row)];
    else yield [`Power ${row.name} off`, "asks for its name", () => openConfirm(row.id)];
    yield row.partitioned ? [`Plug ${row.name} in again`, "", () => run("rejoin", row)] : [`Cut ${row.name} off its network`, "", () => run("partition", row)];
    yield [`Remove ${row.name}`, "asks for its name", () => openConfirm(row.id)];
  }
  for (const row of byKind("zone")) yield row.off ? [`Power zone ${row.name} on`, "", () => run("zone-on", row)] : [`Power zone ${row.name} off`, "asks for its name", () => openConfirm(row.id)];
  for (const row of byKind("pod")) {
    yield [`Open ${row.name}`, "pod", () => open(row.id)];
    yield [`Kill ${row.name}`, "", () => run("kill", row)];
    yield [`Delete ${row.name}`, "", () => run("delete", row)];
  }
}

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const named = words.filter((word) => !/^\d+$/.test(word));
  found = [];
  for (const command of commands(words)) {
    if (named.every((word) => `${command[0]} ${command[1]}`.toLowerCase().includes(word))) found.push(command);
    if (found.length >= 40) break;
  }
  at = 0;
  show();
}

function show() {
  list.replaceChildren(
    ...found.map(([words, kind], i) => {
      const item = make("li", { role: "option", id: `found-${i}`, textContent: words, ariaSelected: i === at, onclick: () => choose(i) });
      if (kind) item.append(make("code", { textContent: kind }));
      return item;
    }),
  );
  input.setAttribute("aria-activedescendant", found.length ? `found-${at}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function choose(i) {
  box.close();
  found[i]?.[2]();
}

input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter") choose(at);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % (found.length || 1);
    show();
  } else return;
  event.preventDefault();
});
box.addEventListener("click", (event) => event.target === box && box.close());

export function openPalette() {
  input.value = "";
  search();
  box.showModal();
}

// The suggestions of the empty drawer, each about something that is there.
document.addEventListener("click", (event) => {
  const wish = event.target.closest("[data-try]")?.dataset.try;
  if (!wish) return;
  const [pod] = byKind("pod").filter((row) => row.state === "ready" && rows.get(row.owner)?.scales);
  const scaled = rows.get(pod?.owner) || byKind("workload").find((row) => row.scales);
  const node = rows.get(`nodes/${pod?.node}`) || byKind("node").find((row) => !row.off);
  if (wish === "scale" && scaled) want(scaled.id, (scaled.desired || 0) + 2);
  else if (wish === "power" && node) openConfirm(node.id);
  else if ((wish === "kill" || wish === "delete") && pod) run(wish, pod);
  else toast("There is nothing to try this on yet: create a deployment first.");
});
