// What the class asks: a list that every learner can open, vote in and add to. The server draws it; here it is put in.
const $ = (id) => document.getElementById(id);
const box = $("questions");
const list = $("questions-list");
let sum = null; // of what the server has
let drawn = null; // of what stands here
let mine = null; // how many of one's own are answered

// What the room's websocket says of them.
export function tell(news) {
  if (mine !== null && news.mine > mine) mark("Your question is answered");
  mine = news.mine;
  sum = news.sum;
  for (const button of document.querySelectorAll("[data-questions]")) button.querySelector("i").textContent = news.open || "";
  if (box.open && sum !== drawn) load();
}

function mark(words) {
  for (const button of document.querySelectorAll("[data-questions]")) button.querySelector("span").textContent = words;
}

async function load(path = box.dataset.url, form = null) {
  const seen = sum;
  const headers = { "X-CSRFToken": box.dataset.csrf };
  const answer = await fetch(path, form ? { method: "POST", headers, body: new URLSearchParams(form) } : {}).catch(() => null);
  if (answer?.ok) {
    const focused = document.activeElement?.dataset.question;
    list.innerHTML = await answer.text(); // the server's own, and made safe there
    drawn = form ? null : seen;
    const same = focused && [...list.querySelectorAll("button")].find((one) => one.dataset.question.replace(/\w+$/, "") === focused.replace(/\w+$/, ""));
    (same || (focused && $("questions-close")))?.focus();
  }
  const said = answer && !answer.ok ? await answer.json().catch(() => null) : null;
  $("questions-wrong").textContent = answer?.ok ? "" : said?.message || "The lab did not answer. Try again.";
  return answer?.ok;
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-questions]")) {
    mark("Questions");
    $("questions-wrong").textContent = "";
    box.showModal();
    load();
  }
  const one = target.closest("[data-question]");
  if (one) load(one.dataset.question, {});
});
$("questions-close").onclick = () => box.close();
$("questions-ask").onsubmit = async (event) => {
  event.preventDefault();
  if (!(await load(box.dataset.url, { text: $("question").value }))) return;
  $("question").value = "";
  left();
};
const left = () => ($("question-left").textContent = `${300 - $("question").value.length} letters left`);
$("question").oninput = left;
