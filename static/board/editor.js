// A plain textarea with numbered lines, and beside each line with an error what is wrong with it.
const LINES_ABOVE = 4;

function draw(box) {
  const [gutter, area, notes] = [box.querySelector("ol"), box.querySelector("textarea"), box.querySelector(".notes")];
  const wrong = JSON.parse(box.dataset.wrong || "[]");
  const count = area.value.split("\n").length;
  if (gutter.childElementCount !== count) {
    const bad = new Set(wrong.map(({ line }) => line));
    gutter.replaceChildren(
      ...Array.from({ length: count }, (_, i) => Object.assign(document.createElement("li"), { textContent: i + 1, className: bad.has(i + 1) ? "wrong" : "" })),
    );
  }
  gutter.scrollTop = area.scrollTop;
  const height = parseFloat(getComputedStyle(area).lineHeight);
  let free = -Infinity; // a note that another is in the way of goes below it
  for (const note of notes.children) {
    const top = Math.max(free, (Number(note.dataset.line) - 1) * height - area.scrollTop + parseFloat(getComputedStyle(area).paddingTop));
    note.style.top = `${top}px`;
    free = top + note.offsetHeight + 4;
  }
}

export function editors(root) {
  for (const box of root.querySelectorAll(".editor")) {
    const area = box.querySelector("textarea");
    draw(box);
    area.addEventListener("input", () => {
      box.classList.add("mended"); // what was said is about the text as it was sent
      draw(box);
    });
    area.addEventListener("scroll", () => draw(box));
  }
  for (const button of root.querySelectorAll("[data-line]")) button.addEventListener("click", () => go(root, Number(button.dataset.line)));
}

function go(root, line) {
  const area = root.querySelector(".editor textarea");
  const start = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
  const end = area.value.indexOf("\n", start);
  area.focus();
  area.setSelectionRange(start, end < 0 ? area.value.length : end);
  area.scrollTop = (line - LINES_ABOVE) * parseFloat(getComputedStyle(area).lineHeight);
}
