// How figures are written, the same everywhere on the board.
export const cpu = (millis) => (millis % 1000 && millis < 10000 ? `${+(millis / 1000).toFixed(2)}` : `${Math.round(millis / 1000)}`);

export function memory(bytes) {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${+gib.toFixed(gib < 10 ? 1 : 0)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}

// As Kubernetes writes it: 64Mi, 1.5Gi.
export const quantity = (bytes) => (bytes >= 2 ** 30 ? `${+(bytes / 2 ** 30).toFixed(1)}Gi` : `${Math.round(bytes / 2 ** 20)}Mi`);

export const percent = (part, whole) => (whole ? Math.min(100, Math.round((100 * part) / whole)) : 0);

export const clock = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 8);

// As kubectl writes ages: 45s, 3m, 5h, 2d.
export function age(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  if (past < 120) return `${Math.floor(past)}s`;
  if (past < 7200) return `${Math.floor(past / 60)}m`;
  return past < 172800 ? `${Math.floor(past / 3600)}h` : `${Math.floor(past / 86400)}d`;
}

export const countdown = (until) => Math.max(0, Math.ceil(until - Date.now() / 1000));

export const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export function svg(name, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// The shape of a pod's state, as its tile has it.
export function shape(state) {
  const drawn = svg("svg", { "aria-hidden": "true" });
  drawn.append(svg("use", { href: `#s-${state}` }));
  return drawn;
}

export const write = (element, words) => element.textContent !== words && (element.textContent = words);
export const still = matchMedia("(prefers-reduced-motion: reduce)");
