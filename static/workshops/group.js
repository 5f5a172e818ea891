// Whose tiles are shown: all, or those of one group; for an assistant of several, of theirs.
import { make } from "../board/format.js";
import { order, rows, ui } from "./tiles.js";

const select = document.getElementById("group");
const { code, groups: helped } = document.body.dataset;
const key = `group:${code}`; // of this class, in this browser

export function draw() {
  const single = [...ui.groups].map((letter) => [letter, `Group ${letter}`]);
  const mine = [...helped].filter((letter) => ui.groups.includes(letter)).join("");
  const choices = ui.groups.length ? [["", "All groups"], ...(mine.length > 1 ? [[mine, "Your groups"]] : []), ...single] : [];
  select.hidden = !choices.length;
  const wanted = JSON.stringify(choices);
  if (select.dataset.of !== wanted) {
    select.dataset.of = wanted;
    select.replaceChildren(...choices.map(([value, textContent]) => make("option", { value, textContent })));
  }
  const kept = localStorage.getItem(key) || "";
  ui.only = choices.some(([value]) => value === kept) ? kept : "";
  select.value = ui.only;
}

// Of the others.
export const unseen = () => (ui.only ? [...rows.values()].filter((row) => !ui.only.includes(row.group)) : []);

select.onchange = () => {
  localStorage.setItem(key, select.value);
  draw();
  order();
  document.dispatchEvent(new Event("asked"));
};
