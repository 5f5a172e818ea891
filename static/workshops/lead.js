// Who teaches, in the slides or in a lesson: the class follows from here, when it is asked to.
import { fit, post } from "./bar.js";

const $ = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search).get("class");
if (asked) sessionStorage.setItem("class", asked);
const code = sessionStorage.getItem("class");
const part = $("bar-lead");
const [title, button, said] = part.children;
let leads = sessionStorage.getItem("leads") === code;
let sent = "";
let busy = false;

function place() {
  const { lesson } = document.body.dataset;
  const slide = document.querySelector(".slide.here");
  const step = $("l-text")?.dataset.step;
  return slide ? { lesson, slide: slide.id } : step ? { lesson, step } : null; // the slides have not begun to turn
}

function show() {
  button.textContent = leads ? "Let them go on by themselves" : "Follow me";
  button.ariaPressed = leads;
  title.textContent = leads ? `Class ${code} follows you.` : `Class ${code}`;
}

async function ask(what, form = {}) {
  const answer = await post(`/staff/workshops/${code}/wall/do/${what}`, form).catch(() => null);
  const words = answer?.type === "opaqueredirect" ? "You are signed out." : (await answer?.json().catch(() => null))?.message;
  said.textContent = words || "The lab did not answer.";
  return answer;
}

// One at a time: where this page is by then is told after it. Only the button begins: a page that is open still when the
// class was let go, on the wall or by somebody else, must not take it along again.
async function lead(going = "1") {
  const to = place();
  const here = JSON.stringify(to);
  if (!leads || !to || busy || here === sent) return;
  busy = true;
  const answer = await ask("follow", going ? { ...to, going } : to);
  busy = false;
  sent = here;
  if (answer?.status === 409) follows(false);
  if (answer?.ok) lead();
}

function follows(on) {
  leads = on;
  sessionStorage.setItem("leads", leads ? code : "");
  sent = "";
  show();
}

button.onclick = async () => {
  follows(!leads);
  if (leads) lead("");
  else ask("part");
};

// Beside a learner one is where that learner is: nobody else is led there.
part.hidden = !code || !document.body.dataset.lesson || /^[a-z]{6}-\d+$/.test(document.body.dataset.cluster || "");
fit();
if (!part.hidden) {
  show();
  lead();
  document.addEventListener("turned", () => lead());
  document.body.addEventListener("htmx:afterSettle", () => lead());
}
