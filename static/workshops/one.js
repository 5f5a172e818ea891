// One learner, beside the wall: what is known of them, and what an instructor does for them.
import { make, write } from "../board/format.js";
import { draw, focus, lessonOf, mini, nameOf, pods, rows, ui, words } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const box = $("one");
const { base, csrf, role, groups: helped } = document.body.dataset;
export const instructs = role === "instructor";
export const mine = (row) => instructs || (role === "assistant" && helped.includes(row.group || "A"));
const within = (row) => mine(row) && !row.gone && !ui.over; // where something can still be done

// Answers in words, whatever came of it.
export async function ask(what, form) {
  try {
    const answer = await fetch(`${base}wall/do/${what}`, { method: "POST", headers: { "X-CSRFToken": csrf }, body: new URLSearchParams(form), redirect: "manual" });
    if (answer.type === "opaqueredirect") return [false, "You are signed out. Load the page again."];
    const said = await answer.json();
    return [answer.ok, said.message];
  } catch {
    return [false, "The lab did not answer. Try again when the wall says Live."];
  }
}

// The same with the answer said in a line, for a while.
export async function tells(line, what, form = {}) {
  const [ok, message] = await ask(what, form);
  write(line, message);
  line.classList.toggle("wrong", !ok);
  setTimeout(() => line.textContent === message && write(line, ""), 8000);
}

export function open(id) {
  const before = ui.open;
  ui.open = id;
  $("answer").textContent = "";
  $("one-text").value = "";
  sure(false);
  box.hidden = false;
  draw([before, id]);
  show();
  box.focus({ preventScroll: true });
}

export function close() {
  const id = ui.open;
  if (!id) return;
  ui.open = "";
  box.hidden = true;
  for (const part of [$("one-name"), $("one-facts"), $("answer")]) part.textContent = "";
  draw([id]);
  focus(id);
}

// Drawn anew, by the name that is shown, whenever the learner's tile is.
export function show() {
  const row = rows.get(ui.open);
  if (!ui.open) return;
  if (!row) return close();
  const said = words(row);
  const lesson = lessonOf(row);
  $("one-name").textContent = nameOf(row);
  const small = make("span", { className: "mini", ariaHidden: "true" });
  mini(small, row);
  const facts = [
    ["Lesson", lesson ? `${lesson.number}. ${lesson.title}` : "none begun"],
    row.step && ["Step", said.step],
    said.time && ["Time", row.step && row.phase !== "Passed" ? `${Math.floor(said.time.split("/")[0])} min on it, ${row.minutes} are planned` : said.time],
    said.says && [row.gone ? "Now" : row.fault ? "Trouble" : "Check", said.says],
    row.broken && ["", "Only a reset helps: what must always hold did not."],
    !row.gone && ["Pods", said.pods || "none", small],
    (said.noted || row.hand) && ["Also", [row.hand && "hand is up", said.noted].filter(Boolean).join(", ")],
  ].filter(Boolean);
  $("one-facts").replaceChildren(
    ...facts.flatMap(([term, text, more]) => {
      const held = make("dd", { textContent: text });
      if (more) held.append(more);
      return [make("dt", { textContent: term }), held];
    }),
  );
  beside(row);
  groups(row);
  $("one-board").href = `/clusters/${row.id}/`;
  $("one-lesson").href = `/clusters/${row.id}/lessons/${row.lesson}/`;
  $("one-lower").hidden = !row.hand || !mine(row);
  for (const part of [$("one-hint"), $("one-reset").parentNode]) part.hidden = !row.step || !within(row);
}

// Those that one may be moved to.
function groups(row) {
  const box = $("one-group");
  const others = instructs ? ui.groups.filter((letter) => letter !== row.group) : [];
  box.hidden = !row.group || !others.length;
  if (box.dataset.of === others.join("")) return;
  box.dataset.of = others.join("");
  box.replaceChildren(...others.map((letter) => {
    const button = make("button", { type: "button", textContent: `To group ${letter}` });
    button.onclick = () => tell("group", { text: letter });
    return button;
  }));
}

// Whether somebody is with them, and who.
let helps = "";
function beside(row) {
  const [by, state] = row.help || [];
  const here = by === document.body.dataset.me && state !== "Asked";
  const now = `${row.id} ${state}`;
  if (helps === `${row.id} Asked` && now !== helps) $("answer").textContent = ""; // that they are asked is true no more
  helps = now;
  $("one-look").hidden = !!state || !within(row);
  $("one-leave").hidden = !state || by !== document.body.dataset.me;
  $("one-leave").textContent = state === "Asked" ? "Do not ask any more" : "Leave them";
  $("one-board").hidden = !here;
  $("one-lesson").hidden = !here || !row.step;
}

function sure(asked) {
  $("one-sure").hidden = !asked;
  $("one-reset").textContent = asked ? "No, leave it" : "Reset their step…";
}

// The answer stands under whom it is about, and nowhere if somebody else is looked at by then: what is under way is theirs.
async function tell(what, form = {}) {
  const id = ui.open;
  const row = rows.get(id);
  const [ok, message] = await ask(what, { seat: id, ...form });
  if (ui.open !== id) return false;
  $("answer").textContent = ui.names || !row ? message : message.replaceAll(row.name, nameOf(row));
  $("answer").classList.toggle("wrong", !ok);
  return ok;
}

$("one-close").onclick = close;
$("one-look").onclick = () => tell("look");
$("one-leave").onclick = () => tell("leave");
$("one-lower").onclick = () => tell("lower");
$("one-reset").onclick = () => {
  sure($("one-sure").hidden);
  if (!$("one-sure").hidden) $("one-sure").focus();
};
$("one-sure").onclick = async () => {
  sure(false);
  $("one-reset").focus();
  await tell("reset");
};
$("one-hint").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("one-text").value;
  if ((await tell("hint", { text })) && $("one-text").value === text) $("one-text").value = "";
};
$("one-text").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("one-hint").requestSubmit();
};
