// A class that is led: this page goes where the class is, unless its learner is on their own.
import { fit, post } from "./bar.js";

const bar = document.getElementById("class-bar");
const part = document.getElementById("bar-led");
const [words, way, button] = part.children;
let led = null;

// What the room's websocket says of it.
export function lead(news) {
  led = news;
  part.hidden = !led;
  fit();
  if (!led) return sessionStorage.removeItem("led");
  words.textContent = led.alone ? "Your instructor leads the class; you are on your own." : "You follow your instructor.";
  button.textContent = led.alone ? "Follow" : "On my own";
  way.href = led.to;
  way.hidden = led.alone || at(led.to);
  // Once to each place: who then looks at another page of theirs is not drawn away from it.
  const followed = sessionStorage.getItem("led") === led.place;
  if (led.alone || followed || document.querySelector("dialog[open]")) return;
  sessionStorage.setItem("led", led.place);
  if (!at(led.to)) location.href = led.to;
}

const at = (path) => `${location.pathname}${path.includes("#") ? location.hash : ""}` === path;

document.addEventListener("turned", () => led && (way.hidden = led.alone || at(led.to)));
document.addEventListener("close", () => led && lead(led), true); // a question was written meanwhile
button.onclick = async () => {
  button.ariaBusy = true;
  const on = !led.alone;
  if (!on) sessionStorage.removeItem("led");
  const answer = await post(bar.dataset.alone, on ? { on: 1 } : {}).catch(() => null);
  button.removeAttribute("aria-busy");
  if (!answer?.ok) words.textContent = "The lab did not hear it. Press once more.";
};
