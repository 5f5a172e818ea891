// How long a pod took to be ready after it was made, or after it went down: reckoned from the times in the log. Only of
// what this page has seen from its beginning.
import { rows } from "./state.js";

const lives = new Map(); // id → {state, since, words, said}
const DOWN = new Set(["failed", "backoff", "unready", "starting"]);

export const took = (id) => lives.get(id)?.said || "";
const seconds = (span) => (span < 10 ? span.toFixed(2) : Math.round(span));

// Goes before the tiles are painted, so that a tile's first frame as ready says how long it took.
export function reckon({ fresh, changed, removed, phases }) {
  for (const id of removed.keys()) lives.delete(id);
  for (const [id, passed] of phases) for (const [state, at] of passed) turn(id, state, at);
  for (const id of fresh ? rows.keys() : changed) {
    const row = rows.get(id);
    if (row?.kind === "pod") lives.set(id, { ...lives.get(id), state: row.state });
  }
}

function turn(id, state, at) {
  const life = lives.get(id) || {};
  if (!life.state) Object.assign(life, { since: at, words: "ready in" });
  else if (life.state === "ready" && DOWN.has(state)) Object.assign(life, { since: at, words: "healed in", said: "" });
  else if (state === "ready" && life.since) Object.assign(life, { since: 0, said: `${life.words} ${seconds(at - life.since)} s` });
  lives.set(id, { ...life, state });
}
