// The wall starts here: what the websocket tells goes into the rows, and in the next frame onto the page.
import { write } from "../board/format.js";
import { draw as drawAsked, toggle as asked } from "./asked.js";
import { draw as drawGroups, unseen } from "./group.js";
import { draw as drawPoll } from "./poll.js";
import { draw as drawStrip } from "./strip.js";
import { ask, close, instructs, open, show } from "./one.js";
import { draw as drawTime, toggle as timing } from "./timing.js";
import { draw, drawAll, fit, look, nameOf, order, remove, rows, seen, ui } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const { base } = document.body.dataset;
const STALE = 11000; // the server speaks every five seconds
const GONE = 4404;
const NOT_YOURS = 4403; // any more, or not as it was: the page says what is
const SLOWEST = 4000;
let socket = null;
let heard = 0;
let wait = 250;
let known = false; // whether anything was heard of who is there
let room = {};
let changed = new Set();
let frame = 0;

function connect() {
  heard ||= Date.now();
  const opened = Date.now();
  const mine = (socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}wall`));
  socket.opened = opened;
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => {
    if (code === GONE) location.href = "/staff/workshops/";
    else if (code === NOT_YOURS) location.reload();
    else if (socket === mine) again();
  };
}

function again() {
  socket = null;
  setTimeout(connect, wait * (0.7 + 0.6 * Math.random()));
  if (wait === SLOWEST) signedIn();
  wait = Math.min(SLOWEST, wait * 2);
  state();
}

// Where the lab answers and this page may not be seen any more, one has to sign in again.
async function signedIn() {
  const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.reload();
}

function receive(message) {
  heard = Date.now();
  wait = 250;
  const offset = message.now - Date.now() / 1000;
  if (Math.abs(offset - ui.offset) > 1.5) ui.offset = offset; // this browser's clock is another than the lab's
  if (message.room) room = message.room;
  if (message.type === "snap") {
    known = true;
    const there = new Set(message.tiles.map((row) => row.id));
    for (const id of [...rows.keys()]) if (!there.has(id)) remove(id);
    for (const row of message.tiles) rows.set(row.id, row), changed.add(row.id);
  } else if (message.type === "delta") {
    for (const row of message.upserts) merge(row);
    for (const id of message.removes) remove(id);
  }
  if (message.type === "snap" && rows.has(location.hash.slice(1))) {
    open(location.hash.slice(1)); // from a board that may not be looked at yet, or any more
    history.replaceState(null, "", location.pathname);
  }
  if (message.type !== "beat") frame ||= requestAnimationFrame(paint);
  state();
}

function merge(news) {
  const row = { ...rows.get(news.id), ...news };
  for (const key in row) if (row[key] === null) delete row[key];
  if (news.hand) announce(`${nameOf(row)} has a hand up.`);
  rows.set(row.id, row);
  changed.add(row.id);
}

function paint() {
  frame = 0;
  ui.lessons = room.lessons || [];
  ui.at = room.at;
  ui.led = room.led;
  ui.slide = room.slide;
  ui.still = room.still;
  ui.over = room.time?.over;
  ui.groups = room.groups > 1 ? [..."ABCDEFGH"].slice(0, room.groups) : [];
  drawGroups();
  draw(changed);
  changed = new Set();
  order();
  rest();
}

// What is not of one tile alone.
function rest() {
  $("nobody").hidden = !known || (rows.size > 0 && (room.time?.over || $("join").ariaPressed !== "true"));
  $("nobody-yet").hidden = rows.size > 0;
  document.querySelector(".closed").hidden = room.open !== false;
  const all = seen();
  $("tiles").hidden = !all.length || !$("nobody").hidden;
  $("none-here").hidden = !rows.size || all.length > 0;
  const away = all.filter((row) => row.away).length;
  const count = (...looks) => all.filter((row) => looks.includes(look(row))).length;
  const [asks, elsewhere] = [count("asks"), unseen().filter((row) => row.hand).length];
  const hands = (number) => (number === 1 ? "hand up" : "hands up");
  const parts = [[all.length - away, "here"], [away, "away"], [asks, hands(asks)], [count("late", "stuck"), "over time"], [elsewhere, `${hands(elsewhere)} in other groups`]];
  write($("counts"), rows.size ? parts.filter(([number], at) => number || !at).map((part) => part.join(" ")).join(" · ") : "");
  $("said-now").hidden = !room.said;
  write($("said-now").querySelector("q"), room.said || "");
  $("saying").hidden = !room.said && $("say").ariaExpanded !== "true";
  $("say-form").hidden = $("say").ariaExpanded !== "true";
  drawStrip();
  drawTime(room.time);
  $("begin").hidden = !room.waiting;
  document.querySelector(".join").hidden = room.time?.over;
  drawPoll(room.poll);
  drawAsked(room.questions);
  show();
}

function state() {
  const silent = Date.now() - heard;
  const name = silent > STALE ? "stale" : socket?.readyState === WebSocket.OPEN ? "live" : "connecting";
  $("live").dataset.state = document.body.dataset.live = name;
  write($("live").querySelector("b"), { live: "Live", connecting: known ? "Reconnecting" : "Connecting", stale: `Stale ${Math.round(silent / 1000)} s` }[name]);
}

document.addEventListener("asked", rest);

setInterval(() => {
  if (socket && Date.now() - Math.max(heard, socket.opened) > STALE) {
    const dead = socket;
    again();
    dead.close();
  }
  state();
}, 1000);
setInterval(() => {
  drawAll(); // minutes have gone by
  order();
  rest();
}, 3000);

// At most one message in five seconds, so that a screen reader is not talked over.
let spoken = 0;
let pending = [];
function announce(words) {
  pending.push(words);
  setTimeout(() => {
    if (!pending.length || Date.now() - spoken < 5000) return;
    spoken = Date.now();
    write($("announce"), pending.join(" "));
    pending = [];
  }, Math.max(0, spoken + 5000 - Date.now()) + 20);
}

$("tiles").addEventListener("click", ({ target }) => {
  const tile = target.closest(".tile");
  if (tile) $("asked").hidden = true, $("ask-open").ariaExpanded = false, open(tile.dataset.id);
});

// To all.
function saying(on = $("say").ariaExpanded !== "true") {
  $("say").ariaExpanded = on;
  rest();
  if (on) $("say-text").focus();
}
$("say").onclick = () => saying();
$("say-form").onsubmit = async (event) => {
  event.preventDefault();
  const [ok, message] = await ask("say", { text: $("say-text").value });
  announce(message);
  $("say-text").setCustomValidity(ok ? "" : message);
  if (!ok) return $("say-text").reportValidity();
  $("say-text").value = "";
  $("say").focus();
  saying(false);
};
$("say-text").oninput = () => $("say-text").setCustomValidity("");
$("unsay").onclick = async () => announce((await ask("say", { text: "" }))[1]);

$("begin").onclick = async () => {
  const [ok, message] = await ask("begin", {});
  announce(message);
  if (!ok) write($("begin"), message);
};

// For the projector.
function names(shown) {
  $("answer").textContent = "";
  ui.names = shown;
  pending = []; // what was said with names in it
  write($("announce"), "");
  $("names").ariaPressed = !shown;
  localStorage.setItem("names", shown ? "" : "hidden");
  drawAll();
  rest();
}
function project(on) {
  localStorage.setItem("projector", ($("projector").ariaPressed = root.dataset.projector = on));
  fit();
}
function theme() {
  localStorage.setItem("theme", (root.dataset.theme = { system: "dark", dark: "light", light: "system" }[root.dataset.theme]));
}
$("join").onclick = () => {
  $("join").ariaPressed = $("join").ariaPressed !== "true";
  rest();
};
$("names").onclick = () => names(!ui.names);
$("projector").onclick = () => project(root.dataset.projector !== "true");
$("theme").onclick = theme;

const KEYS = { n: () => names(!ui.names), ...(instructs && { m: () => saying() }), q: () => asked(), t: () => timing(), b: () => $("projector").click(), d: theme };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return $("say").ariaExpanded === "true" && $("saying").contains(event.target) ? ($("say").focus(), saying(false)) : $("asked").hidden ? close() : asked(false);
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const act = KEYS[event.key.toLowerCase()];
  if (act) event.preventDefault(), act();
});

ui.names = localStorage.getItem("names") !== "hidden";
$("names").ariaPressed = !ui.names;
project(root.dataset.projector === "true");
connect();
