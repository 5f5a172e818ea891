// The command line: kubectl on the lab's machine, and the acts of the board as commands. Loaded when it is opened.
import { csrf, told } from "./actions.js";
import { make } from "./format.js";

const MOST = 60; // answers that are kept
const typed = []; // what ↑ brings back, oldest first
const answers = []; // elements: they outlive the drawer
let clicks = 0; // how many of the board's acts are listed
let running = null;

export function start(box, signal) {
  const [said, form] = [box.querySelector(".said"), box.querySelector("form")];
  const [line, paste, stop] = form ? ["input", "textarea", ".stop"].map((what) => form.querySelector(what)) : [];
  let at = typed.length;

  const end = () => (said.scrollTop = said.scrollHeight);

  // A new entry: what was done, and room for what is answered.
  function entry(command, words = "") {
    const item = make("div", {});
    if (words) item.append(make("p", { textContent: `# ${words}` }));
    const asked = item.appendChild(make("p", { className: "command" }));
    const copy = make("button", { type: "button", textContent: "Copy", ariaLabel: "Copy the kubectl command" });
    copy.dataset.copy = command;
    asked.append(make("code", { textContent: command }), copy);
    answers.push(item);
    said.append(item);
    if (answers.length > MOST) answers.shift().remove();
    end();
    return item;
  }

  function list() {
    for (; clicks < told.length; clicks++) {
      entry(told[clicks].command, told[clicks].message);
      typed.push(told[clicks].command);
    }
    at = typed.length;
    empty();
  }

  function empty() {
    said.querySelector(".hint")?.remove();
    if (!answers.length) said.append(make("p", { className: "hint", textContent: "Nothing was typed yet, and nothing done on the board. What you click appears here too, as the command for it." }));
  }

  async function run(command, input) {
    running?.abort();
    const mine = (running = new AbortController());
    const item = entry(`kubectl ${command}${input ? ` <<'EOF'\n${input}\nEOF` : ""}`);
    empty();
    const pre = item.appendChild(make("pre", {}));
    const note = (words, className = "note") => pre.append(make("span", { className, textContent: words }));
    stop.hidden = false;
    try {
      const answer = await fetch(box.dataset.url, { method: "POST", headers: csrf, body: JSON.stringify({ command, input }), signal: mine.signal });
      if (!answer.ok) return note((await answer.json()).message, "err");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let ended = false;
      for (let rest = "", part; !(part = await reader.read()).done; ) {
        const lines = (rest + part.value).split("\n");
        rest = lines.pop();
        for (const { out, err, note: words, exit } of lines.map((one) => JSON.parse(one))) {
          if (out || err) note(out || err, err ? "err" : "");
          ended ||= !!words || exit !== undefined;
          if (words) note(words);
          if (exit) note(`exit code ${exit}`);
        }
        end();
      }
      if (!ended) note("The connection was lost.");
    } catch (error) {
      note(error.name === "AbortError" ? "Stopped." : "The lab did not answer. Try again when the board says Live.", error.name === "AbortError" ? "note" : "err");
    } finally {
      if (!pre.textContent) note("It said nothing.");
      if (running === mine) running = null;
      stop.hidden = !running;
      end();
    }
  }

  // Into the fields: a command that is given something, as it is copied here, in its two parts.
  function show(text) {
    const [, command, input] = text.match(/^([^\n]*?)\s*<<'EOF'\n([\s\S]*)\nEOF\s*$/) || [0, text, ""];
    line.value = bare(command);
    paste.value = input;
    unfold();
  }
  const bare = (command) => command.replace(/^\$?\s*kubectl\s+/, ""); // the name stands before the field already
  const unfold = () => (paste.hidden = !/(^|\s)(-f|--filename)[ =]?-(\s|$)/.test(line.value));

  said.append(...answers);
  list();
  document.addEventListener("told", list, { signal });
  if (!form) return;
  stop.hidden = !running;
  stop.onclick = () => running?.abort();
  line.addEventListener("input", unfold);
  line.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text").trim();
    if (!/^(\$\s*)?kubectl\s/.test(text)) return;
    event.preventDefault();
    show(text);
  });
  line.addEventListener("keydown", (event) => {
    const { key, ctrlKey } = event;
    if (key === "ArrowUp" || key === "ArrowDown") {
      at = Math.max(0, Math.min(typed.length, at + (key === "ArrowUp" ? -1 : 1)));
      show(typed[at] || "");
    } else if (ctrlKey && key === "c" && running && line.selectionStart === line.selectionEnd) running.abort();
    else if (ctrlKey && key === "l") answers.length = 0, said.replaceChildren(), empty();
    else return;
    event.preventDefault();
  });
  document.addEventListener("type", ({ detail }) => (show(detail), form.requestSubmit()), { signal }); // a lesson's command
  paste.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const command = bare(line.value.trim());
    if (!command) return;
    const input = paste.hidden ? "" : paste.value;
    typed.push(`kubectl ${command}${input ? ` <<'EOF'\n${input}\nEOF` : ""}`);
    at = typed.length;
    run(command, input);
    line.value = paste.value = "";
    unfold();
  });
  document.dispatchEvent(new Event("console"));
}
