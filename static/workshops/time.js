// A class that pauses, comes to its end, and is over, in the page of one of its learners.
import { fit } from "./bar.js";

const part = document.getElementById("bar-time");
const [words, way] = part.children;
const SOON = 10; // minutes before its end that it is said
let time = null;
let offset = 0; // this browser's clock may be another than the lab's

// What the room's websocket says of it.
export function tell(news, now) {
  if (time && time.over !== news.over && location.pathname === "/room/") return location.reload();
  if (news.over && news.goes && location.pathname.startsWith("/clusters/")) return void (location.href = "/room/");
  const refused = document.getElementById("l-wrong");
  if (time?.paused && !news.paused && refused) refused.textContent = ""; // it may be done now
  time = news;
  offset = now - Date.now() / 1000;
  show();
}

function show() {
  const left = time.ends ? Math.ceil((time.ends - Date.now() / 1000 - offset) / 60) : Infinity;
  const said = time.over
    ? location.pathname.startsWith("/clusters/") ? "The class is over. Your cluster sleeps." : "The class is over."
    : time.paused
      ? "Your class pauses. You can look, and act again when your instructor goes on."
      : left <= 0
        ? "The time is up."
        : left <= SOON
          ? `${left} ${left === 1 ? "minute is" : "minutes are"} left.`
          : "";
  if (words.textContent !== said) words.textContent = said;
  way.hidden = !time.over;
  part.hidden = !said;
  Object.assign(document.documentElement.dataset, { over: time.over, rests: time.over || time.paused });
  fit();
}

setInterval(() => time && show(), 5000);
