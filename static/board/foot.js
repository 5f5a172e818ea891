// The wheels and the tape: each loop's planet goes round once when the loop has acted; the tape says what was told.
import { clock } from "./format.js";
import { open } from "./drawer.js";
import { onPaint, rows } from "./state.js";

const loops = document.getElementById("loops");
const tape = document.getElementById("tape");
const TAPE = 60;
const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const find = (list, id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`);

function fillLoop(row, turn) {
  let item = find(loops, row.id);
  if (!item) loops.append((item = clone("t-loop")));
  item.dataset.id = row.id;
  item.querySelector("b").textContent = row.name;
  item.querySelector("small").textContent = row.text || "nothing to do";
  item.title = row.at ? `${clock(row.at)} ${row.text}` : "";
  item.classList.toggle("acted", !!row.acts);
  if (!turn) return;
  item.classList.remove("acting");
  void item.offsetWidth; // restarts the animation
  item.classList.add("acting");
  clearTimeout(item.rest);
  item.rest = setTimeout(() => item.classList.remove("acting"), 900);
}

function fillEvent(row) {
  const item = find(tape, row.id) || clone("t-event");
  item.dataset.id = row.id;
  item.dataset.type = row.type;
  item.querySelector("time").textContent = clock(row.at);
  item.querySelector("b").textContent = row.reason;
  item.querySelector(".about").textContent = row.about;
  item.querySelector("span").textContent = row.text || "";
  item.querySelector("small").textContent = [row.from, row.count && `×${row.count}`].filter(Boolean).join(" ");
  item.title = row.text || "";
  tape.prepend(item);
  while (tape.children.length > TAPE) tape.lastElementChild.remove();
}

onPaint(({ fresh, changed, removed }) => {
  for (const [id, row] of removed) if (row.kind === "event") find(tape, id)?.remove();
  const touched = [...(fresh ? rows.keys() : changed)].map((id) => rows.get(id)).filter(Boolean);
  for (const row of touched) if (row.kind === "loop") fillLoop(row, !fresh);
  touched.filter((row) => row.kind === "event").sort((a, b) => a.at - b.at).forEach(fillEvent);
});

tape.addEventListener("click", (event) => {
  const target = event.target.closest(".about") && rows.get(event.target.closest(".event").dataset.id)?.target;
  if (target) open(target);
});
