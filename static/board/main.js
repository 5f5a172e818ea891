// The board starts here: adopt what the server drew, then live on deltas.
import { adopt, paintNodes } from "./nodes.js";
import { live, remember } from "./life.js";
import { onPaint, rows, schedule, snapshot, ui } from "./state.js";
import { connect, show } from "./socket.js";
import { restore, setNamespace } from "./drawer.js";
import { tabStop } from "./keys.js";
import { openPalette } from "./palette.js";
import { reckon } from "./took.js";
import { toggleTable } from "./table.js";
import "./foot.js";
import "./announce.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

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

// What runs the containers, and how real that is: said always, and in a line of its own where it is not what one expects.
const ENGINES = { docker: "Docker containers", process: "Local processes", simulated: "Simulated" };
const WARNINGS = {
  process: "Containers here are local processes of this machine. With a Docker engine the same lab runs real containers.",
  simulated: "Some nodes are simulated: nothing runs on them, delays and faults are made up by rule.",
};

function engine() {
  const found = new Set([...rows.values()].filter((row) => row.kind === "node" && row.runtime).map((row) => row.runtime));
  const madeUp = Object.keys(WARNINGS).filter((name) => found.has(name));
  $("engine").textContent = Object.keys(ENGINES).filter((name) => found.has(name)).map((name) => ENGINES[name]).join(" + ");
  $("engine").classList.toggle("made-up", madeUp.length > 0);
  const words = madeUp.map((name) => WARNINGS[name]).join(" ");
  $("banner").hidden = !words || localStorage.getItem("read") === words;
  if ($("banner-words").textContent !== words) $("banner-words").textContent = words;
}
$("banner-read").onclick = () => {
  localStorage.setItem("read", $("banner-words").textContent);
  $("banner").hidden = true;
};
