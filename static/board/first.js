// Before the first paint, so that the page never flashes in the wrong colours: hence a classic script in the head.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "system";
if (localStorage.getItem("projector") === "true") document.documentElement.dataset.projector = "true";

// Chrome drops what it is loading when a network interface comes or goes, and each pod that starts on this machine brings
// one. A page without one of its scripts is a dead page: it is loaded again, a few times at most.
const TRIES = 6;
addEventListener("error", ({ target }) => {
  const tries = Number(sessionStorage.getItem("tries"));
  if (!(target instanceof HTMLElement) || tries >= TRIES) return;
  sessionStorage.setItem("tries", tries + 1);
  setTimeout(() => location.reload(), 400 * (tries + 1));
}, true);
