// A poll of the whole class, as its instructor sees it: how many have voted, and what, once it is to be shown.
import { make, write } from "../board/format.js";
import { tells } from "./one.js";
import { rows } from "./tiles.js";

const $ = (id) => document.getElementById(id);
let shown = false; // not before all have thought: a bar that grows is an answer

export function draw(poll) {
  $("poll").hidden = !poll;
  if (!poll) return void (shown = false);
  const [first, second] = poll.voted;
  write($("poll-ask"), poll.ask);
  write($("poll-voted"), `${poll.round === 1 ? first : second} of ${rows.size} have voted${poll.round === 2 ? " again" : ""}`);
  $("poll-show").ariaPressed = shown;
  write($("poll-show"), shown ? "Hide it again" : "Show what they say");
  $("poll-again").hidden = poll.round === 2;
  $("poll-bars").hidden = !shown;
  $("poll-bars").replaceChildren(...poll.answers.map((answer) => bar(answer, poll)));
}

function bar({ text, first, second }, { voted, round }) {
  const item = make("li", {});
  item.append(make("span", { textContent: text }), meter("first", first, voted[0], round));
  if (round === 2) item.append(meter("again", second, voted[1], round));
  return item;
}

function meter(name, count, of, round) {
  const line = make("span", { className: `bar ${name}` });
  const fill = make("i", { ariaHidden: "true" });
  fill.style.width = `${of ? (100 * count) / of : 0}%`;
  line.append(fill, make("b", { textContent: round === 1 ? `${count} of ${of}` : `${count} ${name}` }));
  return line;
}

$("poll-show").onclick = () => {
  shown = !shown;
  $("poll-bars").hidden = !shown;
  $("poll-show").ariaPressed = shown;
  write($("poll-show"), shown ? "Hide it again" : "Show what they say");
};
$("poll-again").onclick = () => {
  shown = false;
  tells($("poll-said"), "again");
};
$("poll-end").onclick = () => tells($("poll-said"), "finish");
