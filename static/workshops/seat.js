// A learner's page in the room: what the instructor says to all, the hand, where all wait, and that somebody is here.
import { make } from "../board/format.js";
import { fit } from "./bar.js";
import { help } from "./help.js";
import { lead } from "./led.js";
import { tell } from "./questions.js";
import { tell as tellTime } from "./time.js";
import { waits as inHall } from "./waiting.js";

const box = document.getElementById("said");
const QUIET = 12000; // the server speaks every five seconds
const GONE = 4404; // the workshop is over
let socket = null;
let heard = 0;
let wait = 500;
let waited = ""; // where the class waits

function connect() {
  heard = Date.now();
  const mine = (socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/room/live`));
  socket.onmessage = ({ data }) => {
    heard = Date.now();
    wait = 500;
    mine.send("here");
    const message = JSON.parse(data);
    if (message.type === "room") show(message);
  };
  socket.onclose = ({ code }) => {
    if (code === GONE) location.href = "/join";
    else if (socket === mine) again();
  };
}

function again() {
  socket = null;
  setTimeout(connect, wait * (0.7 + 0.6 * Math.random()));
  wait = Math.min(5000, wait * 2);
}

setInterval(() => {
  if (!socket || Date.now() - heard < QUIET) return;
  const dead = socket;
  again();
  dead.close();
}, 1000);

function show({ said, hand, waits, poll, questions, led, help: beside, time, waiting, now }) {
  if (inHall(waiting)) return;
  if (waits !== waited) {
    waited = waits;
    document.dispatchEvent(new Event("pace")); // the lesson shows whether one may go on
  }
  if (!said) sessionStorage.removeItem("heard");
  say(sessionStorage.getItem("heard") === said ? "" : said);
  raise(hand);
  asks(poll);
  tell(questions);
  lead(led);
  help(beside);
  tellTime(time, now);
}

// A question to the whole class: one press on an answer is the vote. Drawn once, so that who is choosing goes on choosing.
const form = document.getElementById("poll");
const fold = document.getElementById("poll-fold");
let counted; // while it says so
function folds(away) {
  form.classList.toggle("folded", away);
  fold.ariaExpanded = !away;
  fold.textContent = away ? "Your instructor asks all" : "Put it aside";
}
fold.onclick = () => folds(fold.ariaExpanded === "true");
function asks(poll) {
  const named = poll ? `${poll.poll}/${poll.round}` : "";
  if (form.dataset.of === named) return;
  form.dataset.of = named;
  if (poll) counted = clearTimeout(counted);
  form.hidden = !poll && !counted;
  if (!poll) return;
  folds(false);
  document.getElementById("poll-round").textContent = poll.round === 1 ? "Your instructor asks all: what do you think?" : "Once more, now that you have talked";
  document.getElementById("poll-ask").textContent = poll.ask;
  document.getElementById("poll-wrong").textContent = "";
  document.getElementById("poll-answers").replaceChildren(...poll.answers.map(({ id, text }) => {
    const button = make("button", { type: "button", textContent: text });
    button.onclick = () => votes({ poll: poll.poll, round: poll.round, answer: id }, text);
    return button;
  }));
}

async function votes(vote, text) {
  const headers = { "X-CSRFToken": box.dataset.csrf };
  const answer = await fetch(box.dataset.vote, { method: "POST", headers, body: new URLSearchParams(vote) }).catch(() => null);
  if (answer?.ok) return counts(text);
  const said = await answer?.json().catch(() => null);
  document.getElementById("poll-wrong").textContent = said?.message || "The lab did not hear it. Press once more.";
}

function counts(text) {
  form.hidden = false; // the class may have said sooner that nothing is asked of us any more
  document.getElementById("poll-answers").replaceChildren(make("p", { textContent: `Your answer is counted: “${text}”.` }));
  counted = setTimeout(() => (form.hidden = true, (counted = undefined)), 4000);
}

function say(words) {
  if (!words) return box.replaceChildren();
  if (box.querySelector("span")?.textContent === words) return;
  const text = make("p", {});
  text.append(make("small", { textContent: "Your instructor to all" }), make("span", { textContent: words }));
  const close = make("button", { type: "button", textContent: "Got it" });
  close.onclick = () => {
    sessionStorage.setItem("heard", words);
    box.replaceChildren();
  };
  box.replaceChildren(text, close);
}

// The lesson draws its foot anew whenever it goes on: then the server knows how the hand is.
function raise(up) {
  for (const button of document.querySelectorAll("[data-hand]")) {
    button.ariaPressed = up;
    button.querySelector("span").textContent = up ? "Hand down" : "Hand up";
  }
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-hand]");
  if (!button) return;
  const up = button.ariaPressed !== "true";
  raise(up);
  const ask = () => fetch(box.dataset.url, { method: "POST", headers: { "X-CSRFToken": box.dataset.csrf }, body: new URLSearchParams(up ? { up: 1 } : {}) });
  const answer = await ask().catch(() => new Promise((done) => setTimeout(done, 400)).then(ask)).catch(() => null);
  if (!answer?.ok) raise(!up);
  unheard(!answer?.ok);
});

// In the bar: what the instructor has said stays where it is.
let quiet; // when it is said no longer
function unheard(so) {
  const part = document.getElementById("bar-hand");
  clearTimeout(quiet);
  part.hidden = !so;
  part.firstElementChild.textContent = so ? "The lab did not hear your hand. Try again." : "";
  fit();
  if (so) quiet = setTimeout(unheard, 8000, false);
}

connect();
