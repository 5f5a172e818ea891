// A sheet of a lesson: sliders, and what follows of them. lab/tutorials/sheet.py has checked the formulas and left them
// in postfix, so there is nothing to parse here, and nothing that an author wrote is run.
const WORK = {
  "+": [2, (a, b) => a + b],
  "-": [2, (a, b) => a - b],
  "*": [2, (a, b) => a * b],
  "/": [2, (a, b) => (b ? a / b : NaN)],
  floor: [1, Math.floor],
  ceil: [1, Math.ceil],
  round: [1, (a) => Math.floor(a + 0.5)],
  min: [2, Math.min],
  max: [2, Math.max],
};

function workedOut(steps, values) {
  const stack = [];
  for (const step of steps) {
    const [count, work] = WORK[step] ?? [];
    stack.push(work ? work(...stack.splice(-count)) : /^[a-z]/i.test(step) ? values.get(step) ?? NaN : Number(step));
  }
  return stack[0];
}

function told(value, unit, unknown) {
  if (!Number.isFinite(value)) return unknown;
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2;
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })} ${unit}`.trimEnd();
}

// One listener for all: a lesson's parts come and go.
document.addEventListener("input", ({ target }) => {
  const sheet = target.closest(".sheet");
  if (!sheet) return;
  const said = told(Number(target.value), target.dataset.unit);
  target.setAttribute("aria-valuetext", said);
  target.nextElementSibling.textContent = said;
  const values = new Map(sheet.dataset.given.split(" ").filter(Boolean).map((pair) => pair.split("=")).map(([id, value]) => [id, Number(value)]));
  for (const { name, value } of sheet.querySelectorAll("input")) values.set(name, Number(value));
  for (const output of sheet.querySelectorAll("output")) output.textContent = told(workedOut(output.dataset.formula.split(" "), values), output.dataset.unit, sheet.dataset.unknown);
});
