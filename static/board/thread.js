// A thread in the drawer: the hop that is chosen in the list is marked in the drawing, and the other way round.
export function start(box, signal) {
  const inputs = [...box.querySelectorAll("input")];
  const marks = [...box.querySelectorAll("circle")];
  function mark() {
    const chosen = inputs.findIndex((input) => input.checked);
    marks.forEach((one, n) => one.classList.toggle("chosen", n === chosen));
    if (inputs[chosen] === document.activeElement) inputs[chosen].closest("li").scrollIntoView({ block: "nearest" });
  }
  box.addEventListener("change", mark, { signal });
  box.addEventListener("click", ({ target }) => target.dataset.hop && inputs[target.dataset.hop].click(), { signal });
  box.addEventListener("keydown", ({ key, target }) => {
    if (key === "Enter" && target.type === "radio") target.closest("li").querySelector("kbd")?.click();
  }, { signal });
  if (box.closest("[data-id^='revisions/']")) inputs.find((input) => input.checked).focus();
  mark();
}
