// What flows: visitors and services above the nodes, requests on their way to pods, heat on tiles. It is told once a
// second, is kept nowhere, and what each figure on the page shows is said by its data-fig: "pods <uid> 0".
import { act } from "./actions.js";
import { say } from "./announce.js";
import { make, put, shape, still, svg, write } from "./format.js";
import { columnOf, tiles } from "./nodes.js";
import { byKind, each, onPaint, rows, ui } from "./state.js";

const RATES = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const MOST = 60; // dots that move at once
const TRAVEL = 1100;
const [sky, crowd, services, wires, dots] = ["sky", "crowd", "services", "wires", "dots"].map((id) => document.getElementById(id));
const short = (n) => (n < 10 ? +n.toFixed(1) : Math.round(n));
const AS = { rate: (n) => `${short(n)}/s`, share: (n) => `${+(100 * n).toFixed(1)} %`, ms: (n) => `${short(n)} ms`, count: (n) => n.toLocaleString("en"), failed: (n) => (n ? `${n} failed` : "") };
const flow = { pods: {}, services: {}, visitors: {}, versions: {}, turns: {} };
let ways = []; // [service, node, path from the service to a pod, the pod's uid]

export function figures(message = flow) {
  Object.assign(flow, message);
  for (const it of document.querySelectorAll("[data-fig]")) {
    const [what, id, at] = it.dataset.fig.split(" ");
    const held = flow[what][id]?.[at];
    if (!it.dataset.as) line(it, held || []);
    else write(it, held === undefined ? (it.dataset.else ?? "–") : AS[it.dataset.as](held));
    if (it.dataset.as === "share") it.classList.toggle("bad", held > 0);
  }
  for (const [id, tile] of tiles) {
    const [rate = 0, failing = 0] = flow.pods[rows.get(id)?.uid] || [];
    const heat = Math.min(1, Math.log10(1 + rate) / 3);
    if (heat !== tile.heat) tile.style.setProperty("--heat", (tile.heat = heat));
    tile.classList.toggle("failing", failing > 0);
  }
  thick();
  for (const [key, [, failing]] of Object.entries(flow.visitors)) say(`visitors ${key}`, failing ? `Visitors ${key}: ${AS.share(failing)} fail` : `Visitors ${key}: none fails`, failing > 0.01);
}

function line(chart, points) {
  const most = Math.max(...points, 0.05);
  chart.setAttribute("points", points.map((point, i) => `${59 - points.length + 1 + i},${19 - (18 * point) / most}`).join(" "));
}

// The visitors: the first by name, or those that were opened in the drawer, or turned to, last.
let shown;
let opened;
function fillCrowd() {
  if (opened !== ui.selected && /^visi/.test((opened = ui.selected))) shown = opened;
  const all = byKind("visitors").filter((row) => !ui.namespace || row.namespace === ui.namespace).sort((a, b) => a.id.localeCompare(b.id));
  const at = Math.max(0, all.findIndex(({ id }) => id === shown));
  const row = all[at];
  const [nobody, who, charts] = crowd.children;
  nobody.hidden = !!row;
  who.hidden = charts.hidden = !row;
  crowd.dataset.id = row?.id || "";
  const target = byKind("service").find((one) => one.ports);
  nobody.lastElementChild.hidden = !target;
  nobody.lastElementChild.dataset.row = target?.id;
  if (!row) return;
  const [open, slide, output, hush, next] = who.children;
  next.hidden = all.length < 2;
  write(next, `${at + 1} of ${all.length} ›`);
  next.onclick = () => ((shown = all[(at + 1) % all.length].id), fillCrowd(), figures());
  open.dataset.show = row.id;
  open.ariaLabel = `Visitors ${row.title}`;
  if (!slide.matches(":active")) turn(slide, output, row.rate || 0);
  hush.classList.toggle("primary", !row.rate);
  hush.dataset.with = JSON.stringify({ pause: !!row.rate });
  hush.ariaLabel = hush.title = row.rate ? "Pause the visitors" : "Turn the visitors up";
  shape(hush, row.rate ? "i-pause" : "i-play");
  put(crowd, row);
  charts.querySelectorAll(".chart").forEach((chart, at) => {
    chart.querySelector("b").dataset.fig = `visitors ${row.key} ${at}`;
    chart.querySelector("polyline").dataset.fig = `visitors ${row.key} ${at + 4}`;
  });
}

function turn(slide, output, rate) {
  slide.value = RATES.findLastIndex((one) => one <= rate);
  write(output, rate ? `${rate}/s` : "paused");
  slide.ariaValueText = `${rate} a second`;
}
const slider = document.getElementById("rate");
slider.oninput = () => turn(slider, slider.nextElementSibling, RATES[slider.value]);
slider.onchange = async () => {
  const row = rows.get(crowd.dataset.id);
  if (!(await act("rate", { namespace: row.namespace, name: row.name, rate: RATES[slider.value] }))) fillCrowd();
};

const base = document.body.dataset.door;
each("service", services, (chip, row) => {
  put(chip, row);
  const [open, ends, door, now] = chip.children;
  chip.dataset.state = row.state;
  shape(open, `s-${row.state}`);
  open.ariaLabel = `Service ${row.name}, ${row.ends} endpoints ready, ${row.address || "no address"}`;
  door.hidden = !base || !row.ports;
  door.href = base.replace("{service}", row.name).replace("{namespace}", row.namespace);
  door.title = door.ariaLabel = `Open ${row.name} in a new tab`;
  [...now.children].forEach((one, at) => (one.dataset.fig = `services ${row.key} ${at}`));
});

let timers = [];
onPaint(({ fresh, changed, removed }) => {
  timers.forEach(clearTimeout); // once more when what slides has arrived, and when ghosts have gone
  timers = [40, 420, 3100].map((wait) => setTimeout(draw, wait));
  if (!fresh && ![...changed, ...removed.keys()].some((id) => /^(serv|visi|depl|rele)/.test(id))) return;
  fillCrowd();
  figures();
});
addEventListener("resize", draw);
services.addEventListener("scroll", draw);

// One wire from a service to each node with endpoints, and a short one from there to each pod that is ready.
const known = new Map();
function draw() {
  const origin = sky.getBoundingClientRect();
  const spot = (element) => {
    const box = element.getBoundingClientRect();
    return { x: box.left - origin.left, y: box.top - origin.top + sky.scrollTop, w: box.width, h: box.height };
  };
  const wanted = new Map();
  const top = spot(document.querySelector(".plane")).y;
  ways = [];
  [...services.children].filter((chip) => !chip.hidden).forEach((chip, i) => {
    const row = rows.get(chip.dataset.id);
    const from = spot(chip);
    const frame = spot(services);
    const x = Math.max(frame.x, Math.min(frame.x + frame.w, from.x + from.w / 2));
    const buses = {};
    for (const node of Object.keys(row?.nodes || {})) {
      const column = columnOf(node);
      if (!column) continue;
      const to = spot(column);
      const [bus, y] = [to.x + 4 + 3 * (i % 3), from.y + from.h];
      const bend = Math.max(14, (top - y) * 0.7);
      buses[node] = { bus, way: `M${x} ${y}C${x} ${y + bend} ${bus} ${top - bend} ${bus} ${top}`, low: to.y };
    }
    for (const name of row?.pods || []) {
      const id = `pods/${row.namespace}/${name}`;
      const [tile, to] = [tiles.get(id), buses[rows.get(id)?.node]];
      if (!tile || tile.hidden || !to || !tile.offsetParent) continue;
      const at = spot(tile);
      const middle = at.y + at.h / 2;
      to.low = Math.max(to.low, middle);
      wanted.set(`${row.id} ${id}`, `M${to.bus} ${middle}H${at.x}`);
      ways.push([row.id, rows.get(id).node, `${to.way}V${middle}H${at.x}`, rows.get(id).uid]);
    }
    for (const [node, { way, low }] of Object.entries(buses)) wanted.set(`${row.id} ${node}`, `${way}V${low}`);
  });
  for (const [key, d] of wanted) {
    if (!known.has(key)) known.set(key, wires.appendChild(svg("path")));
    known.get(key).setAttribute("d", d);
  }
  for (const [key, path] of known) {
    if (wanted.has(key)) continue;
    known.delete(key);
    path.classList.add("cut"); // a pod that is not ready loses its wire where one can see it
    setTimeout(() => path.remove(), 1500);
  }
  thick();
}

// How much goes along each wire, as its thickness; and in figures at each node.
function thick() {
  const sums = {};
  for (const [service, node, , uid] of ways) for (const key of [`${service} ${node}`, node]) sums[key] = (sums[key] || 0) + (flow.pods[uid]?.[0] || 0);
  for (const [key, path] of known) path.style.strokeWidth = 1 + Math.log10(1 + (sums[key] || 0));
  for (const row of byKind("node")) {
    const element = columnOf(row.name)?.querySelector(".flow");
    if (element) write(element, sums[row.name] ? AS.rate(sums[row.name]) : "");
  }
}

let moving = 0;
function send(way, failed) {
  if (moving >= MOST) return;
  moving++;
  const dot = dots.appendChild(make("i", { className: failed ? "failed" : "" }));
  dot.style.offsetPath = `path("${way}")`;
  const steps = [{ offsetDistance: "0%", opacity: 0 }, { opacity: 1, offset: 0.1 }, { offsetDistance: "100%", opacity: 1 }];
  dot.animate(steps, { duration: TRAVEL, delay: 1000 * Math.random(), easing: "ease-in-out", fill: "backwards" }).onfinish = () => {
    dot.remove();
    moving--;
  };
}

// Each second some dots for what went to each pod: all of it where that is little, a share of it where it is much.
setInterval(() => {
  if (document.hidden || ui.paused || still.matches || document.body.dataset.view === "table") return;
  const total = ways.reduce((sum, [, , , uid]) => sum + (flow.pods[uid]?.[0] || 0), 0);
  for (const [, , way, uid] of ways) {
    const [rate = 0, failing = 0] = flow.pods[uid] || [];
    for (let left = rate * Math.min(1, MOST / 2 / total) - Math.random(); left > 0; left--) send(way, Math.random() < failing);
  }
}, 1000);
