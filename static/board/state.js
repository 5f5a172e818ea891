// The rows of the board, and the one frame in which what changed is drawn. Nothing else in the page keeps state of the cluster.
import { clone, find } from "./format.js";

export const rows = new Map();
export const position = { epoch: "", seq: 0 };
export const ui = { paused: false, namespace: "", selected: "", past: 0 }; // `past`: the revision that is shown, if it is not the live one

const painters = [];
let fresh = false;
let changed = new Set();
let again = new Set();
let removed = new Map();
let phases = new Map();
let asked = 0;

// `paint({fresh, changed, again, removed, phases})`: ids changed; those of them that are only drawn anew; id → last row
// removed; id → states passed through.
export const onPaint = (paint) => painters.push(paint);

let aside = null; // id → row: what is live, kept up to date while the past is shown

export function snapshot({ rows: all, epoch, seq }) {
  Object.assign(position, { epoch, seq });
  if (aside) aside = new Map(all.map((row) => [row.id, row]));
  else show(all);
}

// The past takes the place of what is live, until `back`.
export function showPast(all) {
  aside ??= new Map(rows);
  show(all);
}

export function back() {
  show(aside.values());
  aside = null;
}

function show(all) {
  const gone = new Map(rows);
  rows.clear();
  for (const row of all) {
    rows.set(row.id, row);
    gone.delete(row.id);
    changed.add(row.id);
  }
  for (const [id, row] of gone) removed.set(id, row);
  fresh = true;
  schedule();
}

// False if the delta does not follow what we have: then we must ask again.
export function delta(message) {
  if (message.epoch !== position.epoch || message.prev !== position.seq) return false;
  position.seq = message.seq;
  if (!aside) apply(message);
  else {
    for (const row of message.upserts) aside.set(row.id, row);
    for (const id of message.removes) aside.delete(id);
  }
  return true;
}

export function apply(message) {
  for (const row of message.upserts) {
    rows.set(row.id, row);
    changed.add(row.id);
    again.delete(row.id);
    removed.delete(row.id);
  }
  for (const id of message.removes) {
    if (rows.has(id)) removed.set(id, rows.get(id));
    rows.delete(id);
    changed.delete(id);
  }
  for (const [id, passed] of Object.entries(message.phases)) phases.set(id, [...(phases.get(id) || []), ...passed]);
  schedule();
}

export function schedule() {
  if (!asked && !ui.paused) asked = requestAnimationFrame(draw);
}

function draw() {
  asked = 0;
  const frame = { fresh, changed, again, removed, phases };
  fresh = false;
  changed = new Set();
  again = new Set();
  removed = new Map();
  phases = new Map();
  for (const paint of painters) paint(frame);
}

// One row anew, if there is one of that id; without an id all of them.
export const redraw = (id) => {
  for (const one of id === undefined ? rows.keys() : [id]) if (rows.has(one) && !changed.has(one)) again.add(one), changed.add(one);
  fresh ||= id === undefined;
  schedule();
};

export const byKind = (kind) => [...rows.values()].filter((row) => row.kind === kind);

// Of a board that is another altogether, as one of the past is, elements of what is gone serve what has come, each where
// it stands: only words are laid out anew. Not the one that has the focus: whoever is at it means what it was about.
export function leftovers() {
  const lists = new Map(); // parent → its elements
  return {
    keep(element) {
      if (element.contains(document.activeElement)) return false;
      const list = element.parentElement;
      return lists.get(list)?.push(element) || lists.set(list, [element]);
    },
    next: (list) => lists.get(list)?.shift(),
    clear() {
      for (const list of lists.values()) for (const element of list) element.remove();
      lists.clear();
    },
  };
}

// One element in `list` (or in the one that it gives for a row) for each row of a kind: made of its template when the row
// comes, filled when it changes, removed when it goes: `fill(element, row, fresh)`.
export function each(kind, list, fill) {
  const held = new Map();
  const spare = leftovers();
  onPaint(({ fresh, changed, removed }) => {
    for (const [id, row] of removed) {
      const element = row.kind === kind && held.get(id);
      if (element && !(fresh && spare.keep(element))) element.remove();
      held.delete(id);
    }
    for (const id of fresh ? rows.keys() : changed) {
      const row = rows.get(id);
      if (row?.kind !== kind) continue;
      const home = list.call ? list(row) : list;
      const element = held.get(id) || spare.next(home) || find(home, id) || home.appendChild(clone(home.dataset.template || `t-${kind}`));
      held.set(id, element);
      element.dataset.id = id;
      element.hidden = !!ui.namespace && !!row.namespace && row.namespace !== ui.namespace;
      fill(element, row, fresh);
    }
    spare.clear();
  });
  return held;
}

// The address says what is shown, so that a link leads to it.
export function link(shown) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(shown)) value ? query.set(key, value) : query.delete(key);
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (address !== location.pathname + location.search) history.replaceState(null, "", address); // the browser takes milliseconds over it
}
