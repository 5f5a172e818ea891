// How figures and parts of elements are written, the same everywhere on the board.
export const clock = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 8);

// As kubectl writes ages: 45s, 3m, 5h, 2d.
export const age = (seconds) => span(now() - seconds);

// The time here: of the past that is shown, or the lab's, by the least late word.
export const then = { at: 0, off: 0 };
export const now = () => then.at || Date.now() / 1000 + then.off;
export const agree = (time, off = time - Date.now() / 1000) => (off > then.off || off < then.off - 1.5) && (then.off = off);

export function span(seconds) {
  const past = Math.max(0, seconds);
  if (past < 120) return `${Math.floor(past)}s`;
  if (past < 7200) return `${Math.floor(past / 60)}m`;
  return past < 172800 ? `${Math.floor(past / 3600)}h` : `${Math.floor(past / 86400)}d`;
}

export const countdown = (until) => Math.max(0, Math.ceil(until - now()));

export const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

// An element in one go: `make("i", { className: "failed" })`.
export const make = (name, properties) => Object.assign(document.createElement(name), properties);

export function svg(name, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Which shape an icon shows: that of a state, as its tile has it, or another.
export const shape = (within, name) => within.querySelector("use").setAttribute("href", `#${name}`);

// Text that is there already is written over: the browser has less to do than with another one.
export function write(element, words) {
  const text = element.firstChild;
  if (element.textContent === String(words)) return;
  if (words !== "" && text?.nodeType === Node.TEXT_NODE && !text.nextSibling) text.data = words;
  else element.textContent = words;
}

// Where an element says data-is="name" the row's name is written; "release.title" is the title of the row's release.
const places = new WeakMap(); // looked for once: there may be a thousand tiles
export function put(within, row) {
  if (!places.has(within)) places.set(within, [...within.querySelectorAll("[data-is]")].map((it) => [it, it.dataset.is.split("."), it.dataset.else ?? ""]));
  for (const [it, path, nothing] of places.get(within)) write(it, path.reduce((held, key) => held?.[key], row) ?? nothing);
}

export const find = (within, id) => within.querySelector(`[data-id="${CSS.escape(id)}"]`);
export const still = matchMedia("(prefers-reduced-motion: reduce)");
