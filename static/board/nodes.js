// Columns of nodes and tiles of pods: keyed elements that are filled anew, never made anew.
import { clone, countdown, make, put, shape, svg, write } from "./format.js";
import { byKind, each, leftovers, rows, ui } from "./state.js";

const nodes = document.getElementById("nodes");
const heads = document.getElementById("heads");
const tray = document.getElementById("tray");
export const tiles = new Map(); // id of a pod → its tile
const columns = new Map(); // id of a node → its column
const FROM = { strip: 1500, glyph: 300, full: 24, roomy: -1 }; // more pods than this are drawn so
const AGAIN = 1.1; // what is dense gets roomier only where there is room for a tenth more
const FAULTY = new Set(["pending", "unready", "failed", "backoff"]);

const text = (parent, selector, words) => write(parent.querySelector(selector), words);
export const columnOf = (name) => columns.get(`nodes/${name}`);

export function adopt() {
  for (const column of document.querySelectorAll(".plane .node")) columns.set(column.dataset.id, column);
  for (const tile of document.querySelectorAll(".pod")) if (tile.dataset.id) tiles.set(tile.dataset.id, tile);
}

function fillNode(column, row) {
  column.dataset.id = row.id;
  column.dataset.name = row.name;
  column.classList.toggle("cordoned", !!row.cordoned);
  column.classList.toggle("off", !!row.off);
  column.classList.toggle("lost", !row.ready && !row.until);
  column.classList.toggle("booting", !!row.until);
  const [head, room] = [column.firstElementChild, column.lastElementChild];
  put(head, row);
  put(room, row);
  head.querySelector(".title b").title = row.name;
  text(head, ".zone", row.zone ? `zone ${row.zone}` : "");
  [...head.querySelectorAll(".gauge")].forEach((gauge, at) => {
    const [part, words] = row.gauges?.[at] || [];
    gauge.hidden = part === undefined;
    gauge.title = words || "";
    gauge.classList.toggle("full", part > 90);
    gauge.querySelector("rect").setAttribute("width", part || 0);
    text(gauge, "b", `${part}%`);
  });
  const flags = [...(row.until ? [[`boots, ${countdown(row.until)} s`, ""]] : []), ...(row.flags || [])];
  head.querySelector(".flags").replaceChildren(...flags.map(([textContent, className]) => make("span", { textContent, className })));
  head.querySelector(".cordon").ariaPressed = !!row.cordoned;
  head.ariaLabel = `Node ${row.name}, ${[row.status, ...flags.map(([words]) => words)].join(", ")}, ${row.count || 0} pods`;
}

export function fillPod(tile, row, state = row.state) {
  tile.dataset.id = row.id;
  if (tile.dataset.state !== state) shape(tile, `s-${(tile.dataset.state = state)}`);
  tile.dataset.hatch = row.version ? (row.version - 1) % 3 : 0;
  tile.ariaLabel = label(row);
  tile.classList.toggle("selected", ui.selected === row.id);
  tile.classList.toggle("restarted", !!row.restarts);
  tile.classList.toggle("timed", !!row.took);
  tile.hidden = !!ui.namespace && row.namespace !== ui.namespace;
  if (tiny() && tile.closest(".nodes")) return; // a glyph has no words to show
  put(tile, { ...row, note: note(row), again: row.restarts ? `↻${row.restarts}` : "" });
}

const tiny = () => ["glyph", "strip"].includes(document.body.dataset.density);

function label(row) {
  const said = [row.name, row.status, `${row.ready} ready`];
  if (row.called) said.push(`version ${row.called}`);
  if (row.restarts) said.push(`${row.restarts} restarts`);
  for (const { node, fits, text: words } of row.verdicts || []) said.push(`${node} ${fits ? "fits" : "does not fit"}: ${words}`);
  return said.join(", ");
}

function note(row) {
  const left = row.until ? countdown(row.until) : 0;
  return row.state === "backoff" && row.until ? `${left ? `${left} s` : "due"} · ${row.note}` : row.note;
}

// Where a tile belongs: its node's column, or the tray. Null where the density draws no tile for it.
function home(row) {
  const dense = document.body.dataset.density === "strip";
  if (dense && row.node && !FAULTY.has(row.state)) return null;
  const column = row.node && columnOf(row.node);
  return column ? column.querySelector(".pods") : tray;
}

// Where the tile is to be put, if that is elsewhere than where it is.
export const moves = (tile, row) => {
  const target = home(row);
  return target !== (tile.closest(".tray") || tile.parentElement);
};

const spare = leftovers();
function keepSpare(removed) {
  for (const [id] of removed) {
    const tile = tiles.get(id);
    if (!tile || tile.closest(".wait") || !spare.keep(tile)) continue;
    tiles.delete(id);
    tile.className = "pod";
  }
}

function place(row) {
  const target = home(row);
  let tile = tiles.get(row.id);
  if (!target) {
    tile?.remove();
    tiles.delete(row.id);
    return;
  }
  if (!tile) tiles.set(row.id, (tile = spare.next(target) || clone("t-pod")));
  fillPod(tile, row);
  const slot = tile.parentElement?.closest(".wait");
  const focused = document.activeElement === tile;
  if (target === tray) {
    if (!slot) {
      const wait = clone("t-wait");
      wait.querySelector(".slot").append(tile);
      tray.querySelector(".waits").append(wait);
    }
    verdicts(tile.closest(".wait"), row);
  } else if (tile.parentElement !== target) {
    target.append(tile);
    slot?.remove();
  }
  if (focused) tile.focus(); // moving an element takes the focus from it
}

// Each node's verdict, one after another as the scheduler asked them; those that have not changed stay still.
function verdicts(wait, row) {
  const said = (row.verdicts || []).map(({ node, fits, text: words }) => [node, `${fits ? "✓" : "✗"} ${words}`, fits]);
  const box = wait.querySelector(".verdicts");
  if (box.dataset.said === String(said)) return;
  box.dataset.said = said;
  box.replaceChildren(
    ...said.map(([node, textContent, fits]) => {
      const item = make("span", { className: fits ? "fits" : "" });
      item.append(`${node} `, make("b", { textContent }));
      return item;
    }),
  );
}

function placeNode(row) {
  let column = columns.get(row.id);
  if (!column) {
    columns.set(row.id, (column = clone("t-node")));
    const home = row.member ? heads : nodes;
    const after = [...home.children].find((other) => other.dataset.name.localeCompare(row.name, undefined, { numeric: true }) > 0);
    home.insertBefore(column, after || null);
  }
  fillNode(column, row);
  column.classList.toggle("selected", ui.selected === row.id);
}

function strips(pods) {
  const counts = new Map();
  for (const row of pods) {
    const of = counts.get(row.node) || counts.set(row.node, {}).get(row.node);
    of[row.state] = (of[row.state] || 0) + 1;
  }
  for (const [id, column] of columns) {
    const strip = column.querySelector(".strip");
    const of = Object.entries(counts.get(id.slice(6)) || {});
    const total = of.reduce((sum, [, count]) => sum + count, 0);
    let x = 0;
    strip.replaceChildren(
      ...of.map(([state, count]) => {
        const width = (100 * count) / total;
        x += width;
        return svg("rect", { x: x - width, width, height: 10, "data-state": state });
      }),
    );
  }
}

let dense = "";
function density(count) {
  const [wanted, kept] = [count, AGAIN * count].map((pods) => Object.keys(FROM).find((name) => pods > FROM[name]));
  if ([wanted, kept].includes(dense)) return false;
  document.body.dataset.density = dense = wanted;
  return true;
}

// Pools of machines, a line below the nodes.
each("pool", document.getElementById("pool-list"), put);

export function paintNodes({ fresh, changed, removed }) {
  const pods = byKind("pod");
  const all = density(pods.length) || fresh;
  const ids = all ? [...rows.keys()] : [...changed];
  const touched = ids.map((id) => rows.get(id)).filter(Boolean);
  for (const [id, row] of removed) if (row.kind === "node") columns.get(id)?.remove(), columns.delete(id);
  for (const row of touched) if (row.kind === "node") placeNode(row);
  const moved = touched.filter((row) => row.kind === "pod").sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
  if (fresh) keepSpare(removed);
  for (const row of moved) place(row);
  spare.clear();
  if (document.body.dataset.density === "strip") strips(pods);
  const waiting = pods.filter((row) => !row.node || !columnOf(row.node));
  tray.hidden = !waiting.length;
  text(tray, "output", String(waiting.length));
  document.getElementById("n-nodes").textContent = columns.size;
  document.getElementById("n-pods").textContent = pods.length;
  document.getElementById("n-ready").textContent = pods.filter((row) => row.state === "ready").length;
}

// A tile has its title when the mouse is there: hundreds at once take the browser milliseconds.
document.addEventListener("mouseover", ({ target }) => {
  const tile = target.closest?.(".pod");
  if (tile) tile.title = rows.get(tile.dataset.id)?.name || "";
});

// Countdowns run by the clock, not by the log.
setInterval(() => {
  for (const row of rows.values()) {
    if (row.until && row.kind === "pod" && tiles.has(row.id)) fillPod(tiles.get(row.id), row);
    if (row.until && columns.has(row.id)) fillNode(columns.get(row.id), row);
  }
}, 1000);
