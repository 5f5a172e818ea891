// The rows of the board, and the one frame in which what changed is drawn. Nothing else in the page keeps state of the cluster.
export const rows = new Map();
export const position = { epoch: "", seq: 0 };
export const ui = { paused: false, namespace: "", selected: "" };

const painters = [];
let fresh = false;
let changed = new Set();
let removed = new Map();
let phases = new Map();
let asked = 0;

// `paint({fresh, changed, removed, phases})`: ids changed; id → last row removed; id → states passed through.
export const onPaint = (paint) => painters.push(paint);

export function snapshot(message) {
  const gone = new Map(rows);
  rows.clear();
  for (const row of message.rows) {
    rows.set(row.id, row);
    gone.delete(row.id);
    changed.add(row.id);
  }
  for (const [id, row] of gone) removed.set(id, row);
  Object.assign(position, { epoch: message.epoch, seq: message.seq });
  fresh = true;
  schedule();
}

// False if the delta does not follow what we have: then we must ask again.
export function delta(message) {
  if (message.epoch !== position.epoch || message.prev !== position.seq) return false;
  for (const row of message.upserts) {
    rows.set(row.id, row);
    changed.add(row.id);
    removed.delete(row.id);
  }
  for (const id of message.removes) {
    if (rows.has(id)) removed.set(id, rows.get(id));
    rows.delete(id);
    changed.delete(id);
  }
  for (const [id, passed] of Object.entries(message.phases)) phases.set(id, [...(phases.get(id) || []), ...passed]);
  position.seq = message.seq;
  schedule();
  return true;
}

export function schedule() {
  if (!asked && !ui.paused) asked = requestAnimationFrame(draw);
}

function draw() {
  asked = 0;
  const frame = { fresh, changed, removed, phases };
  fresh = false;
  changed = new Set();
  removed = new Map();
  phases = new Map();
  for (const paint of painters) paint(frame);
}

export const redraw = () => {
  for (const id of rows.keys()) changed.add(id);
  fresh = true;
  schedule();
};

export const byKind = (kind) => [...rows.values()].filter((row) => row.kind === kind);
export const podsOf = (owner) => byKind("pod").filter((row) => row.owner === owner);
