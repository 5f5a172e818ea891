// The bar at the top of the pages of a class. It takes room of its own, so that it hides nothing.
const bar = document.getElementById("class-bar");

export function fit() {
  bar.hidden = [...bar.children].every((part) => part.hidden);
  document.documentElement.style.setProperty("--class-bar", `${bar.offsetHeight}px`);
}
new ResizeObserver(fit).observe(bar);

export const post = (path, form = {}) =>
  fetch(path, { method: "POST", headers: { "X-CSRFToken": bar.dataset.csrf, Accept: "application/json" }, body: new URLSearchParams(form), redirect: "manual" });
