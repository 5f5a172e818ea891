// The page "Ship": draws the build that it shows as its object changes, by a watch of the API like any other.
document.getElementById("deployment")?.addEventListener("change", (event) => event.target.form.submit());
document.querySelector(".files")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
});
document.addEventListener("submit", ({ submitter, target }) => (submitter || target.querySelector("button"))?.setAttribute("aria-busy", "true"));

const build = document.getElementById("build");
const OVER = ["Complete", "Failed"];
const over = new AbortController();

function draw({ type, object }) {
  if (type === "DELETED") return location.assign(location.pathname);
  const { phase = "Pending", message = "it waits for its turn", image = "", log = "" } = object.status || {};
  const moved = phase !== build.dataset.phase;
  build.dataset.phase = phase;
  build.dataset.shipped = image ? "yes" : "no";
  put("message", message);
  put("image", image);
  const pane = document.getElementById("log");
  const atEnd = pane.scrollTop + pane.clientHeight > pane.scrollHeight - 30;
  put("log", log);
  if (atEnd) pane.scrollTop = pane.scrollHeight;
  if (moved) again();
  if (OVER.includes(phase)) over.abort();
}

function put(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

// What the server draws of it: the list of builds, what runs now, how the loop turns. What is being typed stays.
async function again() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  for (const part of ["#history", ".runs", "#wheel"]) {
    const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
    if (old && fresh) old.replaceWith(fresh);
  }
}

// What a watch of the API tells, again and again until the build is over.
async function follow(address, tell) {
  while (!over.signal.aborted) {
    try {
      const answer = await fetch(address, { signal: over.signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = "", part; !(part = await reader.read()).done; ) {
        const lines = (rest + part.value).split("\n");
        rest = lines.pop();
        lines.filter(Boolean).forEach((line) => tell(JSON.parse(line)));
      }
    } catch (error) {
      if (!(error instanceof TypeError || error.name === "AbortError")) throw error; // TypeError: the lab does not answer, and is asked again
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}
if (build && !OVER.includes(build.dataset.phase)) {
  follow(build.dataset.watch, draw);
  follow(document.getElementById("wheel").dataset.watch, again);
}
