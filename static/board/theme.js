// Before the first paint, so that the page never flashes in the wrong colours: hence a classic script in the head.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "system";
if (localStorage.getItem("projector") === "true") document.documentElement.dataset.projector = "true";
