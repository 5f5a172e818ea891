// A terminal in a container: exec over the API's websocket, as kubectl has it. Loaded when somebody opens one.
import { ask } from "./actions.js";
import { make } from "./format.js";
import { Screen } from "./vt.js";

const [STDIN, STDERR, ERROR, RESIZE] = [0, 2, 3, 4]; // channels of v5.channel.k8s.io: the first byte of each message
const SHELL = ["sh", "-c", "TERM=xterm-256color; export TERM; exec $(command -v bash || echo sh)"];
const PLAIN = { Enter: "\r", Backspace: "\x7f", Tab: "\t", Escape: "\x1b", Insert: "\x1b[2~", Delete: "\x1b[3~", PageUp: "\x1b[5~", PageDown: "\x1b[6~" };
const MOVES = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D", Home: "H", End: "F" };

export function start(box, signal) {
  const [pre, keys, said, again, choice] = ["pre", "textarea", "output", ".again", "select"].map((what) => box.querySelector(what));
  let screen, socket, decoder, early;
  let asked = 0;

  function begin() {
    socket?.close();
    decoder = new TextDecoder();
    screen = new Screen(...size(), type);
    const query = new URLSearchParams([["container", choice?.value || box.dataset.container], ...SHELL.map((word) => ["command", word])]);
    for (const one of ["stdin", "stdout", "tty"]) query.set(one, "true");
    const url = `${box.dataset.url}?${query}`;
    const mine = (socket = new WebSocket(new URL(url, location.href.replace(/^http/, "ws")), ["v5.channel.k8s.io"]));
    let opened, ended;
    mine.binaryType = "arraybuffer";
    mine.onopen = () => {
      opened = true;
      resize();
      type(early);
    };
    mine.onmessage = ({ data }) => {
      const [channel] = new Uint8Array(data, 0, 1);
      if (channel === ERROR) ended = JSON.parse(new TextDecoder().decode(data.slice(1)));
      else if (channel <= STDERR) screen.write(decoder.decode(data.slice(1), { stream: true })), paint();
    };
    mine.onclose = async () => {
      if (mine !== socket || signal.aborted) return;
      tell(ended ? ended.message || "The shell has ended." : opened ? "The connection was lost." : await refusal(url));
    };
    early = "";
    tell("");
    paint();
    keys.focus();
  }

  // Why there is no websocket: a browser does not tell, but the API says the same to a plain request.
  async function refusal(url) {
    const answer = await ask(url, { method: "POST" }, false).catch(() => null);
    return (await answer?.json().catch(() => null))?.message || "The lab does not answer. Try again when the board says Live.";
  }

  function tell(words) {
    said.textContent = words;
    again.hidden = !words;
    pre.classList.toggle("over", !!words);
  }

  function send(channel, text) {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(new Uint8Array([channel, ...new TextEncoder().encode(text)]));
  }
  // What is typed before the shell is there waits for it.
  function type(text) {
    if (socket.readyState === WebSocket.CONNECTING) early += text;
    else if (text) send(STDIN, text);
  }

  function size() {
    const probe = pre.appendChild(make("span", { textContent: "0".repeat(20) }));
    const { width } = probe.getBoundingClientRect();
    probe.remove();
    const style = getComputedStyle(pre);
    const height = parseFloat(style.lineHeight);
    const room = (all, ...sides) => all - sides.reduce((sum, side) => sum + parseFloat(style[side]), 0);
    const columns = Math.floor((20 * room(pre.clientWidth, "paddingLeft", "paddingRight")) / width);
    return [Math.max(20, columns || 0), Math.max(4, Math.floor(room(pre.clientHeight, "paddingTop", "paddingBottom") / height) || 0)];
  }

  function resize() {
    const [Width, Height] = size();
    screen.resize(Width, Height);
    send(RESIZE, JSON.stringify({ Width, Height }));
    paint();
  }

  const paint = () => (asked ||= requestAnimationFrame(draw));
  function draw() {
    asked = 0;
    const below = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
    const shown = screen.other ? [] : screen.past;
    pre.replaceChildren(...[...shown, ...screen.grid].map((line, at) => row(line, !screen.hidden && at === shown.length + screen.y ? screen.x : -1)));
    if (below) pre.scrollTop = pre.scrollHeight;
  }

  function row(line, cursor) {
    const runs = [];
    let last;
    line.forEach(([letter, look], at) => {
      if (at === cursor) look = `${look} cursor`;
      if (last?.className === look) last.textContent += letter;
      else runs.push((last = make("span", { textContent: letter, className: look })));
    });
    const whole = make("div", {});
    whole.append(...runs);
    return whole;
  }

  keys.addEventListener("keydown", (event) => {
    const { key, ctrlKey, altKey, metaKey, shiftKey } = event;
    event.stopPropagation(); // the board's own keys
    if (metaKey || (ctrlKey && shiftKey) || (key === "Tab" && shiftKey)) return;
    if (ctrlKey && (key === "v" || (key === "c" && String(getSelection())))) return;
    let text = PLAIN[key];
    if (MOVES[key]) text = `\x1b${screen.modes.has("?1") ? "O" : "["}${MOVES[key]}`;
    else if (ctrlKey && /^[a-z[\\\] @]$/.test(key)) text = String.fromCharCode(key.charCodeAt(0) & 31);
    else if (altKey && key.length === 1) text = `\x1b${key}`;
    if (!text) return;
    event.preventDefault();
    type(text);
  });
  keys.addEventListener("input", ({ isComposing }) => {
    if (isComposing) return;
    type(keys.value);
    keys.value = "";
  });
  keys.addEventListener("compositionend", () => {
    type(keys.value);
    keys.value = "";
  });
  keys.addEventListener("paste", (event) => {
    event.preventDefault();
    const text = event.clipboardData.getData("text").replace(/\r?\n/g, "\r");
    type(screen.modes.has("?2004") ? `\x1b[200~${text}\x1b[201~` : text);
  });
  pre.addEventListener("click", () => String(getSelection()) || keys.focus());
  again.onclick = begin;
  choice?.addEventListener("change", begin);
  const watch = new ResizeObserver(() => screen && resize());
  watch.observe(pre);
  signal.addEventListener("abort", () => {
    watch.disconnect();
    socket?.close();
  });
  begin();
}
