// The strip: the steps of a lesson, and at each a mark for every learner who is there.
import { make, write } from "../board/format.js";
import { drawAll, look, nameOf, rows, ui } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const box = document.querySelector(".strip");
let chosen = ""; // the lesson that somebody wanted to see; else the one that most are in

const playing = (id) => [...rows.values()].filter((row) => row.lesson === id);

function shown() {
  if (ui.lessons.some((one) => one.id === chosen)) return chosen;
  const busiest = [...ui.lessons].sort((a, b) => playing(b.id).length - playing(a.id).length);
  return busiest[0]?.id;
}

export function draw() {
  const id = shown();
  const lesson = ui.lessons.find((one) => one.id === id);
  box.hidden = !lesson || !rows.size;
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
    write(button.children[2], `${marks.length} here · ${passed} passed`);
    Object.assign(button.children[3], { max: Math.max(1, rows.size), value: passed });
  });
}

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
