// The wheels and the tape: each loop's planet goes round once when the loop has acted; the tape says what was told.
import { age, clock, clone, still, write } from "./format.js";
import { open } from "./drawer.js";
import { byKind, onPaint, rows } from "./state.js";

const loops = document.getElementById("loops");
const tape = document.getElementById("tape");
const TAPE = 60;
const TURN = 900;
const find = (list, id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`);

function fillLoop(row, turn) {
  let item = find(loops, row.id);
  if (!item) loops.append((item = clone("t-loop")));
  item.dataset.id = row.id;
  item.querySelector("b").textContent = row.name;
  item.querySelector("small").textContent = row.text || "nothing to do";
  item.title = row.at ? `${clock(row.at)} ${row.text} (${row.acts} writes since this board's server began to look)` : "";
  item.classList.toggle("acted", !!row.acts);
  if (turn) goRound(item);
}

// Once round for each time it acted; what comes while it goes round makes it go round once more, not start anew.
function goRound(item) {
  if (item.classList.contains("acting")) return (item.again = true);
  item.classList.add("acting");
  if (!still.matches) item.querySelector(".planet").animate([{ transform: "none" }, { transform: "rotate(360deg)" }], { duration: TURN, easing: "cubic-bezier(.45,.05,.45,.95)" });
  setTimeout(() => {
    item.classList.remove("acting");
    if (item.again) goRound(item);
    item.again = false;
  }, TURN);
}

// What each loop has before it: the difference that it still sees.
const QUEUES = {
  scheduler: () => count("pod", (row) => row.state === "pending", "waiting"),
  "deployment-controller": () => count("deployment", (row) => row.oldTotal, "rolling"),
  "replicaset-controller": () => {
    const missing = byKind("deployment").reduce((sum, row) => sum + Math.max(0, (row.desired || 0) - (row.total || 0)), 0);
    return missing ? `${missing} missing` : "";
  },
  "node-controller": () => count("node", (row) => !row.ready, "lost"),
  kubelet: () => count("pod", (row) => row.node && ["starting", "backoff", "leaving"].includes(row.state), "busy"),
};
const count = (kind, test, words) => {
  const found = byKind(kind).filter(test).length;
  return found ? `${found} ${words}` : "";
};

function queues() {
  for (const item of loops.children) write(item.querySelector(".queue"), QUEUES[item.dataset.id.slice(6)]?.() || "");
}

function ages() {
  for (const item of loops.children) {
    const at = rows.get(item.dataset.id)?.at;
    write(item.querySelector("time"), at && !item.querySelector(".queue").textContent ? age(at) : "");
  }
}
setInterval(ages, 1000);

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
  queues();
  ages();
  touched.filter((row) => row.kind === "event").sort((a, b) => a.at - b.at).forEach(fillEvent);
});

tape.addEventListener("click", (event) => {
  const target = event.target.closest(".about") && rows.get(event.target.closest(".event").dataset.id)?.target;
  if (target) open(target);
});
