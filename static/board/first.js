// Before the first paint, so that the page never flashes in the wrong colours: hence a classic script in the head.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "system";
if (localStorage.getItem("projector") === "true") document.documentElement.dataset.projector = "true";

// Chrome drops what it is loading when a network interface comes or goes, and each pod that starts on this machine brings
// one. A page without one of its scripts or styles is of no use: it is loaded again, a few times a minute at most.
const TRIES = 6;
addEventListener("error", ({ target }) => {
  const tries = JSON.parse(sessionStorage.getItem("tries") || "[]").filter((at) => Date.now() - at < 60000);
  if (!(target instanceof HTMLElement) || tries.length >= TRIES) return;
  sessionStorage.setItem("tries", JSON.stringify([...tries, Date.now()]));
  setTimeout(() => location.reload(), 400 * (tries.length + 1));
}, true);
