// A plain textarea with numbered lines; the lines with errors are marked, and each error leads to its line.
function number(box) {
  const [gutter, area] = [box.querySelector("ol"), box.querySelector("textarea")];
  const wrong = new Set(JSON.parse(box.dataset.wrong || "[]"));
  const count = area.value.split("\n").length;
  if (gutter.childElementCount !== count) {
    gutter.replaceChildren(
      ...Array.from({ length: count }, (_, i) => Object.assign(document.createElement("li"), { textContent: i + 1, className: wrong.has(i + 1) ? "wrong" : "" })),
    );
  }
  gutter.scrollTop = area.scrollTop;
}

export function editors(root) {
  for (const box of root.querySelectorAll(".editor")) {
    const area = box.querySelector("textarea");
    number(box);
    area.addEventListener("input", () => number(box));
    area.addEventListener("scroll", () => number(box));
  }
  for (const button of root.querySelectorAll("[data-line]")) button.addEventListener("click", () => go(root, Number(button.dataset.line)));
}

function go(root, line) {
  const area = root.querySelector(".editor textarea");
  const start = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
  area.focus();
  area.setSelectionRange(start, area.value.indexOf("\n", start) < 0 ? area.value.length : area.value.indexOf("\n", start));
  area.scrollTop = (line - 4) * parseFloat(getComputedStyle(area).lineHeight);
}
