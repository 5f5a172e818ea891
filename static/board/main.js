// The board starts here: adopt what the server drew, then live on deltas.
import { adopt, paintNodes } from "./nodes.js";
import { live, reckon, remember } from "./life.js";
import { delta, onPaint, position, rows, schedule, snapshot, ui } from "./state.js";
import { figures } from "./traffic.js";
import { restore, setNamespace } from "./drawer.js";
import { openPalette, tabStop } from "./commands.js";
import { toggleTable } from "./words.js";
import "./foot.js";
import { act } from "./actions.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

// The live connection: resume where we are, fall back to a snapshot, never pretend to be live when we are not.
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
  else if (message.type === "figures") figures(message);
  else if (message.type === "beat" && (message.seq !== position.seq || message.epoch !== position.epoch)) resume();
  show();
}

function show() {
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

adopt();
for (const paint of [remember, reckon, paintNodes, live, tabStop, engine]) onPaint(paint);
snapshot(JSON.parse($("first").textContent));
restore();
$("namespace").value = ui.namespace;
if (new URLSearchParams(location.search).get("view") === "table") toggleTable(true);
connect();

$("live").onclick = () => {
  ui.paused = !ui.paused;
  schedule();
  show();
};
$("namespace").onchange = (event) => setNamespace(event.target.value);
if ($("cluster")) $("cluster").onchange = (event) => (location.href = `/clusters/${event.target.value}/`);
$("open-palette").onclick = openPalette;
$("help").onclick = () => $("shortcuts").showModal();
$("table-view").onclick = () => toggleTable();
$("theme").onclick = () => {
  const next = { system: "dark", dark: "light", light: "system" }[root.dataset.theme];
  localStorage.setItem("theme", (root.dataset.theme = next));
};
$("projector").onclick = () => {
  const on = root.dataset.projector !== "true";
  localStorage.setItem("projector", (root.dataset.projector = on));
  $("projector").setAttribute("aria-pressed", String(on));
};
$("projector").setAttribute("aria-pressed", String(root.dataset.projector === "true"));

// What runs the containers, and how real that is; in a line of its own where one may not expect it.
const ENGINES = { docker: "Docker containers", process: "Local processes", simulated: "Simulated" };

$("more-heads").onclick = () => act("control-planes", { count: $("heads").children.length > 1 ? 1 : 3 });

const warnings = $("banner").dataset;
function engine() {
  const found = new Set([...rows.values()].filter((row) => row.kind === "node" && row.runtime).map((row) => row.runtime));
  const madeUp = ["process", "simulated"].filter((name) => found.has(name));
  $("engine").textContent = Object.keys(ENGINES).filter((name) => found.has(name)).map((name) => ENGINES[name]).join(" + ");
  $("engine").classList.toggle("made-up", madeUp.length > 0);
  const heads = [...rows.values()].filter((row) => row.member);
  const headless = heads.length && heads.every((row) => row.off || row.partitioned);
  const words = headless ? warnings.headless : madeUp.map((name) => warnings[name]).join(" ");
  $("banner").hidden = !words || localStorage.getItem("read") === words;
  if ($("banner-words").textContent !== words) $("banner-words").textContent = words;
}
$("banner-read").onclick = () => {
  localStorage.setItem("read", $("banner-words").textContent);
  $("banner").hidden = true;
};
