// Doing things: each act is one POST, acknowledged at once, answered by a toast with the kubectl command that does the same.
import { make } from "./format.js";
import { tiles } from "./nodes.js";
import { rows, ui } from "./state.js";

const UNDO = 5000;
const toasts = document.getElementById("toasts");
export const csrf = { "X-CSRFToken": document.body.dataset.csrf };

export function toast(message, { kind = "", command = "", seconds = 5, button } = {}) {
  const box = make("div", { className: `toast ${kind}`, role: kind === "error" ? "alert" : "status" });
  const body = make("div", { textContent: message });
  box.append(body);
  if (command) {
    const line = make("p", { className: "command" });
    const copy = make("button", { type: "button", textContent: "Copy", ariaLabel: "Copy the kubectl command (Y)" });
    copy.dataset.copy = command;
    line.append(make("code", { textContent: command }), copy);
    body.append(line);
    told.push({ message, command });
    document.dispatchEvent(new Event("told"));
  }
  if (button) box.append(button);
  toasts.append(box);
  if (toasts.children.length > 4) toasts.firstElementChild.remove();
  const go = () => (box.matches(":hover, :focus-within") ? setTimeout(go, 1000) : box.remove());
  setTimeout(go, seconds * 1000);
  return box;
}

// What was done here, and how to say it to kubectl: the newest last.
export const told = [];

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toast("The browser does not let this page copy. Select the text, and copy it by hand.", { kind: "error" });
  }
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button || !(await copy(button.dataset.copy || document.querySelector(button.dataset.from).textContent))) return;
  const words = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = words), 1200);
});

// A request that never got an answer is sent once more where twice is the same as once: Chrome drops requests when a
// network interface comes or goes, as with every pod that starts on this machine.
export async function ask(url, options = {}, again = true) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (!again) throw error;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return fetch(url, options);
  }
}

// A module that is loaded when it is needed: with the same second try, and words if that fails too. Each has a `start`.
export async function part(name) {
  const load = () => import(`./${name}.js`);
  return load()
    .catch(() => new Promise((resolve) => setTimeout(resolve, 300)).then(load))
    .catch(() => toast("The page could not load this part of itself. Try again.", { kind: "error" }));
}

const ONCE = new Set(["kill", "undo", "restart", "run-now", "turn"]);

// True if it was done. Errors are shown with the words of the API's Status.
export async function act(name, payload) {
  if (ui.past) return false; // past.js says why
  tiles.get(`pods/${payload.namespace}/${payload.name}`)?.classList.add("asked");
  try {
    const answer = await ask(`${document.body.dataset.base}board/do/${name}`, { method: "POST", headers: csrf, body: JSON.stringify(payload) }, !ONCE.has(name));
    const said = await answer.json();
    if (answer.ok) toast(said.message, { command: said.kubectl, seconds: 8, button: said.undo && undo(said.message, (box) => (box.remove(), act(name, { ...payload, ...said.undo }))) });
    else toast(said.message, { kind: "error", seconds: 12 });
    return answer.ok;
  } catch {
    toast("The lab did not answer. See on the board whether it was done, and try again when it says Live.", { kind: "error", seconds: 10 });
    return false;
  } finally {
    tiles.get(`pods/${payload.namespace}/${payload.name}`)?.classList.remove("asked");
  }
}

// Named by what it takes back: cards have an Undo too.
const undo = (what, press) =>
  make("button", { type: "button", textContent: "Undo", ariaLabel: `Undo: ${what}`, onclick: ({ target }) => press(target.parentNode) });

// Five seconds to think again, before anything is sent. Who asks for the same of the same thing takes the place of it.
const waiting = new Map();
export function later(words, name, payload) {
  const key = keyOf(name, payload);
  revoke(key);
  return new Promise((resolve) => {
    const button = undo(words, () => end(false));
    const box = toast(`${words} in 5 s`, { kind: "wait", seconds: 6, button });
    const end = (answer) => {
      clearTimeout(timer);
      waiting.delete(key);
      box.remove();
      resolve(answer);
    };
    const timer = setTimeout(() => end(act(name, payload)), UNDO);
    waiting.set(key, () => end(false));
  });
}
const keyOf = (name, { resource, namespace, name: of }) => `${name} ${resource}/${namespace || ""}/${of}`;
const revoke = (key) => waiting.get(key)?.();

export function scale(row, replicas) {
  const payload = { ...about(row), replicas };
  revoke(keyOf("scale", payload));
  return replicas ? act("scale", payload) : later(`Scaling ${row.name} to 0`, "scale", payload);
}

const WAITING = { drain: "Draining", undo: "Rolling back", "zone-off": "Cutting the power of zone" };

// What is acted on. There are things without a row: a claim's volume, an Ingress.
const about = ({ id, namespace, name }) => ({ resource: id.split("/")[0], namespace, name });
const bare = (id) => {
  const [, ...key] = id.split("/");
  return { id, name: key.pop(), namespace: key[0] };
};

// What a button says it does, about the row that it belongs to.
export function run(name, row, more = {}) {
  const { name: of } = row;
  const payload = { ...about(row), ...more };
  if (name === "cordon" && row.cordoned) return act("uncordon", payload);
  if (name === "pause" && row.paused) return act("resume", payload);
  if (WAITING[name]) return later(`${WAITING[name]} ${of}`, name, payload);
  return act(name, payload);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  event.stopPropagation();
  const id = button.dataset.row || button.closest("[data-id]")?.dataset.id;
  if (!id) return;
  button.ariaBusy = true;
  await run(button.dataset.do, rows.get(id) || bare(id), JSON.parse(button.dataset.with || "{}"));
  button.removeAttribute("aria-busy");
  button.dispatchEvent(new Event("acted", { bubbles: true }));
}, true);
