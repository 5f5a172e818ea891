// What changed, said to those who listen: at most one sentence in five seconds, and only about what was asked for.
import { onPaint, rows } from "./state.js";

const QUIET = 5000;
const said = document.getElementById("announce");
const pending = new Map();
const known = new Map();
let timer = 0;

// Says it if it is not what was said of it last. What begins as it should be, `notable` false, is not said.
export function say(id, words, notable = true) {
  if (known.get(id) !== words && (notable || known.has(id))) pending.set(id, words);
  if (notable || known.has(id)) known.set(id, words);
  if (pending.size && !timer) timer = setTimeout(speak, 400);
}

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
    if (row?.kind !== "workload") continue;
    const words = `${row.name}: ${row.words}`;
    fresh ? known.set(id, words) : say(id, words);
  }
  for (const [id, row] of removed) if (row.kind === "workload" && !fresh) say(id, `${row.name} is gone`);
});
