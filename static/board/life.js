// Births, moves and deaths: cause and effect is what a board can show and a list cannot.
import { now, still, svg } from "./format.js";
import { columnOf, fillPod, moves, tiles } from "./nodes.js";
import { rows } from "./state.js";

const GHOST = 3000; // a dead pod is remembered for so long, and its replacement is tied to it
const MOST = 60; // ghosts: more nobody can follow
const STEP = 170; // each phase passed through between two frames is shown for so long
const SLIDE = 320;
const YOUNG = 15; // seconds
const threads = document.getElementById("threads");
const sky = document.getElementById("sky");
const ghosts = new Set();
const before = new Map(); // id of a pod → where its tile was, if it moves; else false
let tying = 0;

// Before the tiles are placed: where those stand that are about to move. To measure the others lays the page out twice.
export function remember({ changed, fresh }) {
  before.clear();
  if (fresh) return;
  for (const id of changed) {
    const [tile, row] = [tiles.get(id), rows.get(id)];
    if (tile && row) before.set(id, moves(tile, row) && tile.getBoundingClientRect());
  }
}

export function live({ fresh, changed, removed, phases }) {
  for (const [id, row] of removed) if (row.kind === "pod") die(id, row, fresh);
  if (fresh) return;
  const after = new Map(); // all are measured before any is changed
  for (const [id, was] of before) if (was && !still.matches) after.set(id, tiles.get(id)?.getBoundingClientRect());
  for (const id of changed) {
    const row = rows.get(id);
    const tile = row?.kind === "pod" && tiles.get(id);
    if (!tile) continue;
    const was = before.get(id);
    if (was === undefined) arrive(tile, row);
    else if (after.get(id)) slide(tile, was, after.get(id));
    if (row.node && was !== false) win(row.node);
    if (phases.has(id)) replay(tile, id, phases.get(id));
  }
  if (ghosts.size) retie(), setTimeout(retie, SLIDE); // an heir from the tray has slid to its node by then
}

function arrive(tile, row) {
  tile.classList.add("born");
  tile.addEventListener("animationend", () => tile.classList.remove("born"), { once: true });
  const ghost = [...ghosts].find((one) => !one.heir && replaces(row, one.row));
  if (ghost) ghost.heir = row.id;
}

function slide(tile, from, to) {
  tile.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }], { id: "slide", duration: SLIDE, easing: "cubic-bezier(.3,.9,.3,1)" });
}

function win(name) {
  const column = columnOf(name);
  if (!column) return;
  column.classList.add("won");
  clearTimeout(column.won);
  column.won = setTimeout(() => column.classList.remove("won"), 900);
}

// The states that came and went between two frames, one after another, so that a short death is seen.
function replay(tile, id, passed) {
  const shown = passed.slice(0, -1).slice(-4); // the last one is what the tile shows anyhow
  if (!shown.length) return;
  tile.classList.add("flash");
  const fill = (state) => tiles.get(id) === tile && rows.has(id) && fillPod(tile, rows.get(id), state);
  shown.forEach(([state], i) => setTimeout(fill, i * STEP, state));
  setTimeout(() => {
    tile.classList.remove("flash");
    fill();
  }, shown.length * STEP);
}

function die(id, row, silently) {
  const tile = tiles.get(id);
  tiles.delete(id);
  if (!tile) return;
  const wait = tile.closest(".wait");
  if (tile.contains(document.activeElement)) tile.closest(".node")?.querySelector(".head").focus();
  if (silently || wait || ghosts.size >= MOST || !["roomy", "full"].includes(document.body.dataset.density)) return (wait || tile).remove();
  tile.classList.add("ghost");
  tile.classList.remove("selected");
  tile.removeAttribute("role");
  tile.inert = true;
  tile.querySelector(".note").textContent = "gone";
  const ghost = { tile, row, heir: youngest(row) };
  ghosts.add(ghost);
  setTimeout(() => {
    ghosts.delete(ghost);
    tile.remove();
    retie();
  }, GHOST);
}

// Who takes the place of a dead pod: a young one of the same replica set, else one of a newer version. It may be older
// than the ghost: it is made when the other leaves.
function youngest(row) {
  const taken = new Set([...ghosts].map((ghost) => ghost.heir));
  const heirs = [...rows.values()].filter((one) => one.kind === "pod" && !taken.has(one.id) && now() - one.created < YOUNG && replaces(one, row));
  return heirs.sort((a, b) => (b.replicaset === row.replicaset) - (a.replicaset === row.replicaset) || b.created - a.created)[0]?.id;
}

const replaces = (one, row) => row.owner && one.owner === row.owner && (one.replicaset === row.replicaset || one.version > row.version);

const retie = () => (tying ||= requestAnimationFrame(tie));

function tie() {
  tying = 0;
  const lines = [...ghosts].flatMap(({ tile, heir }) => {
    const other = tiles.get(heir);
    if (!other || other.getAnimations().some(({ id }) => id === "slide")) return []; // or still on its way
    const [a, b, origin] = [tile, other, sky].map((one) => one.getBoundingClientRect());
    const [right, above] = [b.left > a.left, Math.abs(b.left - a.left) < 9];
    const [x1, y1] = [(right || above ? a.right : a.left) - origin.left, a.top + a.height / 2 - origin.top + sky.scrollTop];
    const [cx, cy] = [(right ? b.left : b.right) - origin.left, b.top + b.height / 2 - origin.top + sky.scrollTop];
    const bend = above ? 26 : Math.max(24, Math.abs(cx - x1) / 2) * (right ? 1 : -1);
    const d = `M${x1} ${y1}C${x1 + bend} ${y1} ${above ? cx + bend : cx - bend} ${cy} ${cx} ${cy}`;
    return [svg("path", { d }), svg("circle", { cx, cy, r: 3 })];
  });
  threads.replaceChildren(...lines);
}
