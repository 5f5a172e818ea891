// The board starts here: adopt what the server drew, then live on deltas.
import { adopt, paintNodes } from "./nodes.js";
import { agree, put, shape, write } from "./format.js";
import { live, remember } from "./life.js";
import { delta, each, onPaint, position, rows, schedule, snapshot, ui } from "./state.js";
import { figures } from "./traffic.js";
import { restore, setNamespace } from "./drawer.js";
import { openPalette, tabStop } from "./commands.js";
import "./foot.js";
import { act, part } from "./actions.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

// The live connection: resume where we are, else a snapshot, and never say live when we are not.
const BEAT = 5000; // the server speaks at least this often
const STALE = 2 * BEAT;
const SLOWEST = 5000;
const pill = $("live");
let socket = null;
let wait = 250;
let heard = Date.now();
let opened = 0;

function connect() {
  opened = Date.now();
  socket = new WebSocket(`${location.origin.replace("http", "ws")}${document.body.dataset.base}board`);
  socket.onopen = resume;
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = again;
}

// A connection that is silent for so long is dead, whatever the browser thinks.
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
  if (message.now) agree(message.now);
  if (message.type === "snap") snapshot(message);
  else if (message.type === "delta" && !delta(message)) resume();
  else if (message.type === "figures") ui.past || figures(message);
  else if (message.type === "beat" && (message.seq !== position.seq || message.epoch !== position.epoch)) resume();
  show();
}

export function show() {
  const silent = Date.now() - heard;
  const open = socket?.readyState === WebSocket.OPEN;
  const state = silent > STALE ? "stale" : open ? (ui.past ? "past" : ui.paused ? "paused" : "live") : "connecting";
  const words = { stale: `Stale ${Math.round(silent / 1000)} s`, live: "Live", past: "Past", paused: "Paused", connecting: "Reconnecting" };
  pill.dataset.state = document.body.dataset.live = state;
  write(pill.querySelector("b"), words[state]);
  write(pill.querySelector("small"), `r ${ui.past || position.seq}`);
}

document.addEventListener("visibilitychange", () => !document.hidden && resume());
window.addEventListener("online", leave);
setInterval(() => {
  if (socket && Date.now() - Math.max(heard, opened) > STALE) leave();
  show();
}, 1000);

adopt();
for (const paint of [remember, paintNodes, live, tabStop, whole]) onPaint(paint);
receive(JSON.parse($("first").textContent));
restore();
$("namespace").value = ui.namespace;
const asked = new URLSearchParams(location.search);
connect();

// The time line and the table are loaded when they are opened.
const rewind = (at) => part("past").then(({ start }) => start?.(at));
const table = (on) => part("words").then(({ start }) => start?.(on));
if (asked.get("view") === "table") table(true);
$("rewind").onclick = () => rewind();
if (asked.get("at")) rewind(Number(asked.get("at")));

pill.onclick = () => {
  ui.paused = !ui.paused;
  schedule();
  show();
};
$("namespace").onchange = (event) => setNamespace(event.target.value);
if ($("cluster")) $("cluster").onchange = (event) => (location.href = `/clusters/${event.target.value}/`);
$("open-palette").onclick = openPalette;
$("help").onclick = () => $("shortcuts").showModal();
$("table-view").onclick = () => table();
$("theme").onclick = () => {
  const next = { system: "dark", dark: "light", light: "system" }[root.dataset.theme];
  localStorage.setItem("theme", (root.dataset.theme = next));
};
const project = (on) => localStorage.setItem("projector", ($("projector").ariaPressed = root.dataset.projector = on));
project(root.dataset.projector === "true");
$("projector").onclick = () => project(root.dataset.projector !== "true");

$("more-heads").onclick = () => act("control-planes", { count: rows.get("lab").heads > 1 ? 1 : 3 });

// What runs the containers, and how real that is; in a line of its own where one may not expect it.
function whole() {
  const { engine, warning, grave, heads, stopped } = rows.get("lab") || {};
  [$("wheels").dataset.show, $("wheels").textContent] = stopped || [""];
  $("wheels").hidden = !stopped;
  write($("engine"), engine || "");
  $("engine").classList.toggle("made-up", /Local|Simulated/.test(engine));
  $("banner").hidden = !warning || localStorage.getItem("read") === warning;
  $("banner").classList.toggle("grave", !!grave);
  write($("banner-words"), warning || "");
  write($("more-heads"), heads > 1 ? "Make it one" : "Make it three");
}
each("zone", $("zones"), (chip, row) => {
  put(chip, row);
  const [open, button] = chip.children;
  open.classList.toggle("bad", row.down > 0);
  button.hidden = !row.down;
});
// What keeps data, and nobody uses.
each("claim", $("storage"), (chip, row) => {
  put(chip, row);
  shape(chip, `s-${(chip.dataset.state = row.state)}`);
  chip.hidden ||= !!row.used;
});
$("banner-read").onclick = () => {
  localStorage.setItem("read", $("banner-words").textContent);
  $("banner").hidden = true;
};
