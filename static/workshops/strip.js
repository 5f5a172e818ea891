// The strip: the steps of a lesson, at each a mark for every learner who is there, and where the class is led.
import { make, write } from "../board/format.js";
import { tells } from "./one.js";
import { drawAll, look, nameOf, rows, seen, ui } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const box = document.querySelector(".strip");
let chosen = ""; // the lesson that somebody wanted to see; else the one that most are in

const playing = (id) => seen().filter((row) => row.lesson === id);

function shown() {
  if (ui.lessons.some((one) => one.id === chosen)) return chosen;
  const busiest = [...ui.lessons].sort((a, b) => playing(b.id).length - playing(a.id).length);
  return busiest[0]?.id;
}

export function draw() {
  const id = shown();
  const lesson = ui.lessons.find((one) => one.id === id);
  box.hidden = !lesson || !rows.size;
  lead();
  if (box.hidden) return;
  choices(id);
  const here = playing(id);
  const list = $("steps");
  if (list.dataset.lesson !== id || list.children.length !== lesson.steps.length) {
    list.dataset.lesson = id;
    list.replaceChildren(...lesson.steps.map(column));
  }
  lesson.steps.forEach((title, at) => {
    const number = at + 1;
    const button = list.children[at].firstElementChild;
    const marks = here.filter((row) => row.step === number);
    const passed = here.filter((row) => row.passed?.includes(number)).length;
    button.ariaPressed = ui.step?.lesson === id && ui.step.step === number;
    write(button.children[0], `${number} ${title}`);
    draws(button.children[1], marks);
    const waits = ui.at?.held && ui.at.lesson === id && ui.at.step === number;
    button.dataset.waits = waits;
    write(button.children[2], `${marks.length} here · ${passed} passed${waits ? " · all wait here" : ui.led && !ui.slide && ui.at?.lesson === id && ui.at.step === number ? " · all follow here" : ""}`);
    Object.assign(button.children[3], { max: Math.max(1, seen().length), value: passed });
  });
}

// Of the step that is chosen, else of the one where all wait.
function lead() {
  const at = ui.step || (ui.at?.held || ui.led ? ui.at : null);
  const lesson = at && ui.lessons.find((one) => one.id === at.lesson);
  $("pace").hidden = !lesson;
  if (!lesson) return;
  const here = ui.at?.lesson === at.lesson && ui.at.step === at.step;
  const waits = ui.at?.held && here;
  const follows = ui.led && !ui.slide && here;
  write($("pace").firstElementChild, `${waits ? "All wait at step" : follows ? "All follow you to step" : "Step"} ${at.step}, “${lesson.steps[at.step - 1]}”`);
  write($("follow"), ui.led ? "Lead them here" : "Follow me");
  $("follow").hidden = follows;
  $("part").hidden = !ui.led;
  $("in-slides").href = `/lessons/${at.lesson}/slides?class=${document.body.dataset.code}`;
  $("in-lesson").href = `/clusters/learn/lessons/${at.lesson}/?class=${document.body.dataset.code}`;
  $("hold").hidden = waits;
  $("release").hidden = !ui.at?.held;
  $("ask").hidden = !lesson.asks.includes(at.step);
  Object.assign($("pace").dataset, { lesson: at.lesson, step: at.step });
}

let sure = 0;
const led = (what) => tells($("led"), what, { ...$("pace").dataset });
$("hold").onclick = () => led("hold");
$("follow").onclick = () => led("follow");
$("part").onclick = () => led("part");
$("release").onclick = () => led("release");
$("ask").onclick = () => led("ask");
// Who is behind loses what they are at: asked twice.
$("bring").onclick = () => {
  const asked = Date.now() < sure;
  sure = asked ? 0 : Date.now() + 5000;
  $("bring").textContent = asked ? "Bring everybody here…" : "Yes, all who are behind";
  if (asked) return led("bring");
  setTimeout(() => Date.now() >= sure && ($("bring").textContent = "Bring everybody here…"), 5100);
};

function column(title, at) {
  const item = make("li", {});
  const button = make("button", { type: "button", title: `Show who is at “${title}”` });
  button.append(make("b", {}), make("span", { className: "marks", ariaHidden: "true" }), make("small", {}), make("progress", { ariaHidden: "true" }));
  button.onclick = () => {
    const same = ui.step?.step === at + 1 && ui.step.lesson === $("steps").dataset.lesson;
    ui.step = same ? 0 : { lesson: $("steps").dataset.lesson, step: at + 1 };
    drawAll();
    draw();
  };
  item.append(button);
  return item;
}

function draws(place, marks) {
  const sorted = marks.sort((a, b) => a.rank - b.rank);
  while (place.children.length > sorted.length) place.lastChild.remove();
  while (place.children.length < sorted.length) place.append(make("i", {}));
  sorted.forEach((row, at) => {
    place.children[at].dataset.look = look(row);
    place.children[at].title = nameOf(row);
  });
}

function choices(id) {
  const select = $("lesson");
  const wanted = JSON.stringify(ui.lessons.map((one) => one.id));
  if (select.dataset.of !== wanted) {
    select.dataset.of = wanted;
    select.replaceChildren(...ui.lessons.map((one) => make("option", { value: one.id, textContent: `${one.number}. ${one.title}` })));
  }
  select.value = id;
}

$("lesson").onchange = ({ target }) => {
  chosen = target.value;
  ui.step = 0;
  drawAll();
  draw();
};
