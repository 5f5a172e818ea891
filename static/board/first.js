// Before the first paint, so that the page never flashes in the wrong colours: hence a classic script in the head.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "system";
if (localStorage.getItem("projector") === "true") document.documentElement.dataset.projector = "true";

// Chrome drops what it is loading when a network interface comes or goes, and each pod that starts on this machine brings
// one. A page without one of its scripts or styles is of no use: it is loaded again, in a while, and in a longer while.
addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLElement)) return;
  const tries = JSON.parse(sessionStorage.getItem("tries") || "[]").filter((at) => Date.now() - at < 60000);
  sessionStorage.setItem("tries", JSON.stringify([...tries, Date.now()]));
  setTimeout(() => location.reload(), Math.min(9000, 400 * 1.6 ** tries.length));
}, true);
