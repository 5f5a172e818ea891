// The live connection: resume where we are, fall back to a snapshot, never pretend to be live when we are not.
import { delta, position, snapshot, ui } from "./state.js";

const BEAT = 5000; // the server speaks at least this often
const STALE = 2 * BEAT;
const SLOWEST = 5000;
const pill = document.getElementById("live");
let socket = null;
let wait = 250;
let heard = Date.now();
let opened = 0;

export function connect() {
  opened = Date.now();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${document.body.dataset.base}board`);
  socket.onopen = resume;
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = again;
}

// A connection that has said nothing for so long is dead, whatever the browser thinks: it is left, not waited for.
function leave() {
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
  again();
}

function again() {
  socket = null;
  setTimeout(connect, wait * (0.7 + 0.6 * Math.random()));
  wait = Math.min(SLOWEST / 1.3, wait * 2);
  show();
}

function resume() {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "resume", ...position }));
}

function receive(message) {
  heard = Date.now();
  wait = 250;
  if (message.type === "snap") snapshot(message);
  else if (message.type === "delta" && !delta(message)) resume();
  else if (message.type === "beat" && (message.seq !== position.seq || message.epoch !== position.epoch)) resume();
  show();
}

export function show() {
  const silent = Date.now() - heard;
  const open = socket?.readyState === WebSocket.OPEN;
  const state = silent > STALE ? "stale" : open ? (ui.paused ? "paused" : "live") : "connecting";
  const words = { stale: `Stale ${Math.round(silent / 1000)} s`, live: "Live", paused: "Paused", connecting: "Reconnecting" };
  if (pill.dataset.state !== state || state === "stale") {
    pill.dataset.state = document.body.dataset.live = state;
    pill.querySelector("b").textContent = words[state];
  }
  pill.querySelector("small").textContent = `r ${position.seq}`;
}

document.addEventListener("visibilitychange", () => !document.hidden && resume());
window.addEventListener("online", leave);
setInterval(() => {
  if (socket && Date.now() - Math.max(heard, opened) > STALE) leave();
  show();
}, 1000);
