// What changed, for those who listen: at most one sentence in five seconds, and only about what was asked for.
import { onPaint, rows } from "./state.js";

const QUIET = 5000;
const said = document.getElementById("announce");
const pending = new Map();
const known = new Map();
let timer = 0;

function speak() {
  timer = 0;
  if (!pending.size) return;
  said.textContent = [...pending.values()].slice(0, 3).join(". ");
  pending.clear();
  timer = setTimeout(speak, QUIET);
}

onPaint(({ fresh, changed, removed }) => {
  for (const id of changed) {
    const row = rows.get(id);
    if (row?.kind !== "deployment") continue;
    const words = `${row.name}: ${row.ready || 0} of ${row.desired || 0} ready`;
    if (!fresh && known.get(id) !== words) pending.set(id, words);
    known.set(id, words);
  }
  for (const [id, row] of removed) if (row.kind === "deployment" && !fresh) pending.set(id, `${row.name} is gone`);
  if (pending.size && !timer) timer = setTimeout(speak, 400);
});
