// The wheels and the tape: each loop's planet goes round once when the loop has acted; the tape says what was told.
import { age, clock, put, still, write } from "./format.js";
import { each, onPaint, rows } from "./state.js";

const tape = document.getElementById("tape");
const TURN = 900;
const GLOW = [{ outline: "2px solid var(--brass)" }, { outline: "2px solid transparent" }];

const loops = each("loop", document.getElementById("loops"), (item, row, fresh) => {
  put(item, row.queue || row.mode ? { text: "", ...row } : row); // one that stands may have something to do all the same
  item.title = `${row.name}: ${[row.mode, row.text || row.queue].filter(Boolean).join("; ") || "nothing to do"}`;
  item.classList.toggle("acted", !!row.acts);
  item.classList.toggle("long", row.name.length > 11);
  item.dataset.mode = row.mode || "";
  item.querySelectorAll("[data-as]").forEach((it, at) => (it.dataset.fig = `turns ${row.wheel} ${2 - 2 * at}`));
  if (!fresh && item.acts !== row.acts) goRound(item, row.lit);
  item.acts = row.acts;
});

// Once round for each time it acted; what comes while it goes round makes it go round once more, not start anew.
function goRound(item, lit = []) {
  for (const it of lit.flatMap((id) => [...document.querySelectorAll(`.board [data-id="${CSS.escape(id)}"]`)])) if (!still.matches) it.animate(GLOW, TURN);
  if (item.classList.contains("acting")) return (item.again = true);
  item.classList.add("acting");
  if (!still.matches) item.querySelector(".planet").animate([{ transform: "none" }, { transform: "rotate(360deg)" }], { duration: TURN, easing: "cubic-bezier(.45,.05,.45,.95)" });
  setTimeout(() => {
    item.classList.remove("acting");
    if (item.again) goRound(item);
    item.again = false;
  }, TURN);
}

// Since when it has nothing to do.
function ages() {
  for (const [id, item] of loops) {
    const { at, queue } = rows.get(id) || {};
    write(item.querySelector("time"), at && !queue ? age(at) : "");
  }
}
onPaint(ages);
setInterval(ages, 1000);

const told = each("event", tape, (item, row) => {
  put(item, row);
  const [led, about] = item.querySelectorAll("button");
  led.dataset.show = `revisions/${row.revision}`;
  about.dataset.show = row.target || led.dataset.show;
  item.title = row.text || "";
  write(item.querySelector("time"), clock(row.at));
  item.dataset.type = row.type;
});
// The newest first. What is in its place stays there, and keeps the focus.
onPaint(() => {
  const sorted = [...told.keys()].map((id) => rows.get(id)).sort((a, b) => b.at - a.at || b.revision - a.revision);
  for (const [at, { id }] of sorted.entries()) if (tape.children[at] !== told.get(id)) tape.insertBefore(told.get(id), tape.children[at]);
});

tape.onkeydown = ({ key, target }) => {
  const all = [...tape.children];
  const next = all[all.indexOf(target.parentNode) + { ArrowDown: 1, ArrowUp: -1 }[key]];
  next?.querySelector("button").focus();
  return !next;
};
