// What somebody points at on the board lights up, here and where they point.
const SECONDS = 6;
let label = null;

export function light(id, said) {
  const found = document.querySelector(`.board [data-id="${CSS.escape(id)}"]`);
  label?.remove();
  for (const old of document.querySelectorAll(".pointed")) old.classList.remove("pointed");
  if (!found) return;
  document.querySelector('.sides [data-side="board"]')?.click(); // on a phone the board may be the other side
  found.scrollIntoView({ block: "nearest", inline: "nearest" });
  found.classList.add("pointed");
  const at = found.getBoundingClientRect();
  label = Object.assign(document.createElement("p"), { className: "points", textContent: said });
  label.setAttribute("role", "status");
  document.body.append(label);
  const left = Math.min(Math.max(4, at.left), innerWidth - label.offsetWidth - 4);
  Object.assign(label.style, { left: `${left}px`, top: `${at.top > label.offsetHeight + 60 ? at.top - label.offsetHeight - 8 : at.bottom + 8}px` });
  const mine = label;
  setTimeout(() => mine === label && (found.classList.remove("pointed"), mine.remove(), (label = null)), SECONDS * 1000);
}
