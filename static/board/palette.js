// The command palette: type a name to go there, or a verb and a name to act.
import { run, toast } from "./actions.js";
import { open, openConfirm, openPanel } from "./drawer.js";
import { want } from "./rail.js";
import { byKind, rows } from "./state.js";

const box = document.getElementById("palette");
const input = box.querySelector("input");
const list = box.querySelector("ul");
let found = [];
let at = 0;

function* commands(words) {
  const number = words.find((word) => /^\d+$/.test(word));
  yield ["New deployment", "", () => openPanel("create")];
  yield ["Add a node", "", () => openPanel("add-node")];
  for (const row of byKind("deployment")) {
    yield [`Open ${row.name}`, "deployment", () => open(row.id)];
    yield [`Scale ${row.name} to ${number ?? "…"}`, "", () => (number ? want(row.id, Number(number)) : toast(`Type a number too: scale ${row.name} 5`))];
    for (const name of [row.paused ? "Resume" : "Pause", "Restart", "Undo"]) yield [`${name} ${row.name}`, "", () => run(name === "Resume" ? "pause" : name.toLowerCase(), row)];
    yield [`Delete ${row.name}`, "asks for its name", () => openConfirm(row.id)];
  }
  for (const row of byKind("node")) {
    yield [`Open ${row.name}`, "node", () => open(row.id)];
    yield [`${row.cordoned ? "Uncordon" : "Cordon"} ${row.name}`, "", () => run("cordon", row)];
    yield [`Drain ${row.name}`, "shows first what moves", () => open(row.id, "drain")];
    if (row.off) yield [`Power ${row.name} on`, "", () => run("power-on", row)];
    else yield [`Power ${row.name} off`, "asks for its name", () => openConfirm(row.id)];
    yield row.partitioned ? [`Plug ${row.name} in again`, "", () => run("rejoin", row)] : [`Cut ${row.name} off its network`, "", () => run("partition", row)];
    yield [`Remove ${row.name}`, "asks for its name", () => openConfirm(row.id)];
  }
  for (const row of byKind("pod")) {
    yield [`Open ${row.name}`, "pod", () => open(row.id)];
    yield [`Kill ${row.name}`, "", () => run("kill", row)];
    yield [`Delete ${row.name}`, "", () => run("delete", row)];
  }
}

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const named = words.filter((word) => !/^\d+$/.test(word));
  found = [];
  for (const command of commands(words)) {
    if (named.every((word) => command[0].toLowerCase().includes(word))) found.push(command);
    if (found.length >= 40) break;
  }
  at = 0;
  show();
}

function show() {
  list.replaceChildren(
    ...found.map(([words, kind], i) => {
      const item = Object.assign(document.createElement("li"), { role: "option", id: `found-${i}`, textContent: words });
      item.setAttribute("aria-selected", String(i === at));
      if (kind) item.append(Object.assign(document.createElement("code"), { textContent: kind }));
      item.onclick = () => choose(i);
      return item;
    }),
  );
  input.setAttribute("aria-activedescendant", found.length ? `found-${at}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function choose(i) {
  box.close();
  found[i]?.[2]();
}

input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter") choose(at);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % (found.length || 1);
    show();
  } else return;
  event.preventDefault();
});
box.addEventListener("click", (event) => event.target === box && box.close());

export function openPalette() {
  input.value = "";
  search();
  box.showModal();
}

// The suggestions of the empty drawer, each about something that is there.
document.addEventListener("click", (event) => {
  const wish = event.target.closest("[data-try]")?.dataset.try;
  if (!wish) return;
  const [pod] = byKind("pod").filter((row) => row.state === "ready" && row.owner);
  const deployment = rows.get(pod?.owner) || byKind("deployment")[0];
  const node = rows.get(`nodes/${pod?.node}`) || byKind("node").find((row) => !row.off);
  if (wish === "scale" && deployment) want(deployment.id, (deployment.desired || 0) + 2);
  else if (wish === "power" && node) openConfirm(node.id);
  else if ((wish === "kill" || wish === "delete") && pod) run(wish, pod);
  else toast("There is nothing to try this on yet: create a deployment first.");
});
