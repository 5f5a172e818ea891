// How long a pod took to be ready after it was made, or after it went down: reckoned from the times in the log.
const lives = new Map();
const DOWN = new Set(["failed", "backoff", "unready", "starting"]);

export const took = (id) => lives.get(id)?.said || "";
const seconds = (span) => (span < 10 ? span.toFixed(2) : Math.round(span));

// Goes before the tiles are painted, so that a tile's first frame as ready says how long it took.
export function reckon({ phases, removed }) {
  for (const id of removed.keys()) lives.delete(id);
  for (const [id, passed] of phases) {
    const life = lives.get(id) || lives.set(id, {}).get(id);
    for (const [state, at] of passed) {
      if (state === "pending" && !life.since) Object.assign(life, { since: at, words: "ready in" });
      else if (DOWN.has(state) && !life.since) Object.assign(life, { since: at, words: "healed in" });
      else if (state === "ready" && life.since) Object.assign(life, { since: 0, said: `${life.words} ${seconds(at - life.since)} s` });
      if (life.since) life.said = "";
    }
  }
}
