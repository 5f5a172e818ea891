// Logs as they are written: the API's own log endpoint, followed by a streaming fetch.
const LINES = 2000;
let stop = null;

export function hush() {
  stop?.abort();
  stop = null;
}

export async function follow(box) {
  hush();
  if (!box) return;
  const mine = (stop = new AbortController());
  let tail = 200;
  while (!mine.signal.aborted && box.isConnected) {
    await stream(box, `${box.dataset.url}&follow=true&tailLines=${tail}`, mine.signal);
    if (mine.signal.aborted) return;
    note(box, "— the stream ended; waiting for the container —");
    tail = 50;
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}

async function stream(box, url, signal) {
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) return note(box, (await answer.json()).message);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) write(box, part.value);
  } catch (error) {
    if (error.name !== "AbortError") note(box, "— the connection was lost —");
  }
}

function write(box, text) {
  const below = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  box.append(text);
  while (box.childNodes.length > LINES) box.firstChild.remove();
  if (below) box.scrollTop = box.scrollHeight;
}

function note(box, words) {
  if (box.lastChild?.textContent === `${words}\n`) return;
  box.append(Object.assign(document.createElement("span"), { className: "cut", textContent: `${words}\n` }));
}
