// The page of an instructor who is beside a learner: what that learner lets them do, pointing, and leaving.
import { make } from "../board/format.js";
import { fit, post } from "./bar.js";
import { light } from "./spot.js";

const { cluster } = document.body.dataset;
const code = cluster?.match(/^([a-z]{6})-\d+$/)?.[1].toUpperCase();
const part = document.getElementById("bar-along");
const words = part.firstElementChild;
const STATES = {
  Looks: ["You look along with {name}. Alt and a click, or I on a tile, points.", ["point", "Point"], ["rewind", "Their last minute"], ["take", "Offer to take over"], ["leave", "Leave"]],
  Offers: ["You ask {name} whether you may act.", ["give", "Do not ask"], ["leave", "Leave"]],
  Acts: ["You act in the cluster of {name}, who looks on.", ["give", "Give it back"], ["leave", "Leave"]],
};
let name = "";
let shown = "";
let aiming = false;

const back = () => (location.href = `/staff/workshops/${code}/wall#${cluster}`);

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/staff/workshops/${code}/along/${cluster}`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "along") show(message);
  };
  socket.onclose = () => setTimeout(connect, 1000);
}

function show(message) {
  const { help } = message;
  if (help?.state === "Asked") return; // an answer that the door knows already, and this a moment later
  if (!STATES[help?.state]) return back(); // either has ended it
  if (shown === help.state) return;
  shown = help.state;
  aim(false);
  name = localStorage.getItem("names") === "hidden" ? "this learner" : message.name;
  const [said, ...ways] = STATES[help.state];
  words.textContent = said.replaceAll("{name}", name);
  part.replaceChildren(words, ...ways.map(([act, text]) => button(act, text)));
  part.hidden = false;
  document.documentElement.dataset.along = help.state;
  fit();
}

function button(act, textContent) {
  const one = make("button", { type: "button", textContent });
  one.onclick = () => (act === "rewind" ? rewind() : act === "point" ? aim(!aiming) : ask(act));
  if (act === "point") one.setAttribute("aria-pressed", "false");
  return one;
}

// Without a key, as on a tablet: the next tap on the board points.
function aim(on) {
  aiming = on;
  part.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", on);
  document.documentElement.toggleAttribute("data-aims", on);
}

// What they did to come to where they are: the time line, from a minute ago on.
async function rewind() {
  const answer = await fetch(`/clusters/${cluster}/board/past/last/60`).catch(() => null);
  if (!answer?.ok) return void (words.textContent = "The lab did not answer. Press once more.");
  const { start } = await import("../board/past.js");
  const { revision } = await answer.json();
  start(revision, revision);
}

async function ask(what, text = "") {
  const answer = await post(`/staff/workshops/${code}/wall/do/${what}`, { seat: cluster, text }).catch(() => null);
  if (!answer?.ok) words.textContent = (await answer?.json().catch(() => null))?.message || "The lab did not hear it.";
  else if (what === "leave") back();
}

function point(element) {
  const id = element?.closest(".board [data-id]")?.dataset.id;
  if (!id) return false;
  ask("point", id);
  light(id, `${name} sees this`);
  aim(false);
  return true;
}

if (code) {
  connect();
  // Caught before the board hears of it: who points does not also open what they point at.
  addEventListener("click", (event) => {
    if (!(event.altKey || aiming) || !point(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") return aim(false);
    if (event.key.toLowerCase() !== "i" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (!point(document.activeElement)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
