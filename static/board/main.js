// The board starts here: adopt what the server drew, then live on deltas.
import { adopt, paintNodes } from "./nodes.js";
import { live, remember } from "./life.js";
import { onPaint, rows, schedule, snapshot, ui } from "./state.js";
import { connect, show } from "./socket.js";
import { restore, setNamespace } from "./drawer.js";
import { tabStop } from "./keys.js";
import { openPalette } from "./palette.js";
import { toggleTable } from "./table.js";
import "./foot.js";
import "./announce.js";

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

adopt();
for (const paint of [remember, paintNodes, live, tabStop, banner]) onPaint(paint);
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

// What is not the real thing says so.
function banner() {
  const runtimes = new Set([...rows.values()].filter((row) => row.kind === "node").map((row) => row.runtime));
  const words = runtimes.has("process") && !runtimes.has("docker") ? "Running on local processes: install Docker to run real containers." : "";
  $("banner").hidden = !words;
  if ($("banner").textContent !== words) $("banner").textContent = words;
}
