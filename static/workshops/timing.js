// The time of the class, on its wall: all pause, some minutes more, the end.
import { write } from "../board/format.js";
import { ask } from "./one.js";
import { now } from "./tiles.js";

const $ = (id) => document.getElementById(id);
let time = { paused: false, ends: 0, over: false, goes: false, left: 0 };
let sure = 0;

export function draw(news) {
  time = news || time;
  const left = time.ends ? Math.ceil((time.ends - now()) / 60) : null;
  const short = time.over ? "over" : time.paused ? "paused" : left === null ? "" : left > 0 ? `${left} min` : "up";
  write($("time-open").querySelector("i"), short);
  const ends = left === null ? "No time is said." : left > 0 ? `${left} min are left.` : "The time is up.";
  write($("time-now"), time.over ? `The class is over${over()}.` : time.paused ? `All pause: they look, and cannot act. ${ends}` : ends);
  document.body.toggleAttribute("data-over", time.over);
  $("time-pause").hidden = time.over || time.paused;
  $("time-resume").hidden = time.over || !time.paused;
  for (const button of document.querySelectorAll("[data-minutes]")) button.hidden = time.over;
  $("time-end").hidden = time.over && !time.left;
  if (!sure) write($("time-end"), word());
  $("time-on").hidden = !time.over || time.goes;
}

// Whoever ended it may have been cut short: what is left goes when it is ended once more.
const over = () => !time.goes ? ": its clusters sleep" : time.left ? `, and ${time.left} of its clusters are still there` : ", and its clusters are gone";
const word = () => time.over ? "Take what is left away…" : "End the class…";

async function act(what, form = {}) {
  write($("time-said"), "…");
  const [ok, message] = await ask(what, form);
  write($("time-said"), message);
  $("time-said").classList.toggle("wrong", !ok);
  $("time-said").classList.toggle("unseen", ok && what === "extend"); // it stands beside it already
  setTimeout(() => $("time-said").textContent === message && write($("time-said"), ""), 8000);
}

export function toggle(on = $("timing").hidden) {
  $("timing").hidden = !on;
  $("time-open").ariaExpanded = on;
  if (on) (time.paused ? $("time-resume") : time.over ? $("time-on") : $("time-pause")).focus();
  else $("time-open").focus();
}

$("time-open").onclick = () => toggle();
$("time-pause").onclick = () => act("pause");
$("time-resume").onclick = () => act("resume");
$("time-on").onclick = () => act("go-on");
for (const button of document.querySelectorAll("[data-minutes]")) button.onclick = () => act("extend", { minutes: button.dataset.minutes });
// It stops what all are at: asked twice.
$("time-end").onclick = () => {
  const asked = Date.now() < sure;
  sure = asked ? 0 : Date.now() + 5000;
  $("time-end").textContent = asked ? word() : time.goes ? "Yes, end it: their clusters go" : "Yes, end it: their clusters sleep";
  if (asked) return act("end");
  setTimeout(() => Date.now() >= sure && ((sure = 0), write($("time-end"), word())), 5100);
};
