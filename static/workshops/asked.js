// What the class asks, beside the wall: the most wanted first, each to be answered in words, or aloud.
import { make, write } from "../board/format.js";
import { ask, close, instructs, mine } from "./one.js";
import { nameOf, rows, ui } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const box = $("asked");
const list = $("asked-list");

export function draw(questions = []) {
  const open = questions.filter((one) => !one.answered);
  write($("ask-open").querySelector("i"), open.length || "");
  if (box.hidden) return;
  write($("asked-none"), questions.length ? "" : "Nobody has asked anything yet.");
  const wanted = JSON.stringify([questions, ui.names, questions.map((one) => rows.get(one.by)?.name)]);
  if (list.dataset.drawn === wanted || list.contains(document.activeElement) && document.activeElement.value) return; // somebody is writing
  list.dataset.drawn = wanted;
  list.replaceChildren(...questions.map(item));
}

function item(one) {
  const item = make("li", { className: one.answered ? "answered" : "" });
  const row = rows.get(one.by);
  const votes = one.votes ? `${one.votes} other${one.votes === 1 ? " wants" : "s want"} to know it · ` : "";
  item.append(make("p", { textContent: one.text }), make("small", { textContent: `${votes}${row ? nameOf(row) : "who is gone"}` }));
  if (one.answered) {
    item.append(make("p", { className: "answer", textContent: one.answer || "Answered aloud." }));
  } else if (row ? mine(row) : instructs) {
    const form = make("form", {});
    const words = make("textarea", { rows: 2, maxLength: 500, ariaLabel: `Answer to: ${one.text}`, placeholder: "An answer, or none: then you gave it aloud" });
    const done = make("button", { className: "primary", textContent: "Answered" });
    form.append(words, done);
    form.onsubmit = (event) => (event.preventDefault(), act("answer", { question: one.id, text: words.value }));
    words.onkeydown = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.requestSubmit();
    item.append(form);
  }
  if (!instructs) return item;
  const gone = make("button", { type: "button", textContent: "Remove" });
  gone.onclick = () => act("remove", { question: one.id });
  (item.querySelector("form") || item).append(gone);
  return item;
}

async function act(what, form) {
  const [ok, message] = await ask(what, form);
  if (ok) {
    document.activeElement.blur();
    $("asked-title").focus();
  }
  write($("asked-said"), message);
  $("asked-said").classList.toggle("wrong", !ok);
}

export function toggle(on = box.hidden) {
  close();
  box.hidden = !on;
  $("ask-open").ariaExpanded = on;
  write($("asked-said"), "");
  document.dispatchEvent(new Event("asked"));
  (on ? $("asked-title") : $("ask-open")).focus();
}
$("ask-open").onclick = () => toggle();
$("asked-close").onclick = () => toggle(false);
