// A plain textarea with numbered lines, and beside each line with an error what is wrong with it.
import { make } from "./format.js";

const LINES_ABOVE = 4;

export function start(box, signal) {
  const [gutter, area, notes] = [box.querySelector("ol"), box.querySelector("textarea"), box.querySelector(".notes")];
  const wrong = JSON.parse(box.dataset.wrong);
  const bad = new Set(wrong.map(({ line }) => line));
  const height = parseFloat(getComputedStyle(area).lineHeight);

  function draw() {
    const count = area.value.split("\n").length;
    if (gutter.childElementCount !== count)
      gutter.replaceChildren(...Array.from({ length: count }, (_, i) => make("li", { textContent: i + 1, className: bad.has(i + 1) ? "wrong" : "" })));
    gutter.scrollTop = area.scrollTop;
    let free = -Infinity; // a note that another is in the way of goes below it
    for (const note of notes.children) {
      const top = Math.max(free, (Number(note.dataset.line) - 1) * height - area.scrollTop + parseFloat(getComputedStyle(area).paddingTop));
      note.style.top = `${top}px`;
      free = top + note.offsetHeight + 4;
    }
  }

  function go(line) {
    const begin = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
    const end = area.value.indexOf("\n", begin);
    area.focus();
    area.setSelectionRange(begin, end < 0 ? area.value.length : end);
    area.scrollTop = (line - LINES_ABOVE) * height;
  }

  area.addEventListener("input", () => {
    box.classList.add("mended"); // what was said is about the text as it was sent
    draw();
  });
  area.addEventListener("scroll", draw);
  document.getElementById("drawer").addEventListener("click", ({ target }) => {
    const { line } = target.closest("[data-line]")?.dataset || {};
    if (line) go(Number(line));
  }, { signal });
  draw();
}
