// An instructor beside this learner: whether they may, what they point at, and how it is ended.
import { make } from "../board/format.js";
import { fit, post } from "./bar.js";
import { light } from "./spot.js";

const bar = document.getElementById("class-bar");
const part = document.getElementById("bar-help");
const words = part.firstElementChild;
const STATES = {
  Asked: ["{by} asks to look along at your board.", ["accept", "Let them"], ["refuse", "No"]],
  Looks: ["{by} looks along.", ["end", "End it"]],
  Offers: ["{by} offers to take over: then they act in your cluster, and you do not until you take it back.", ["accept", "Let them"], ["refuse", "No"]],
  Acts: ["{by} acts in your cluster. You look on, until you take it back.", ["back", "Take it back"], ["end", "End it"]],
};
let shown = "";
let pointed = null;

// What the room's websocket says of it.
export function help(news) {
  const named = news ? `${news.by}/${news.state}` : "";
  if (news?.pointed && pointed !== null && news.pointed !== pointed) light(news.spot, `${news.by} points here`);
  pointed = news?.pointed || 0;
  document.documentElement.dataset.help = news?.state || "";
  if (named === shown) return;
  shown = named;
  part.hidden = !news;
  if (news) {
    const [said, ...ways] = STATES[news.state];
    words.textContent = said.replaceAll("{by}", news.by);
    part.replaceChildren(words, ...ways.map(([act, text]) => button(act, text)));
  }
  fit();
}

function button(act, textContent) {
  const one = make("button", { type: "button", textContent });
  one.onclick = async () => {
    one.ariaBusy = true;
    const answer = await post(`${bar.dataset.help}${act}`).catch(() => null);
    one.removeAttribute("aria-busy");
    const said = answer && !answer.ok ? (await answer.json().catch(() => null))?.message : "";
    if (!answer?.ok) words.textContent = said || "The lab did not hear it. Press once more.";
  };
  return one;
}
