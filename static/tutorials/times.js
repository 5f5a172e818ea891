// A time is told in the reader's own zone; without this script it stands in the zone of all: UTC.
const DAY = { day: "numeric", month: "short", year: "numeric" };

for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  const clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...("exact" in time.dataset && { second: "2-digit" }) });
  time.title = time.textContent;
  time.textContent = "day" in time.dataset ? `${at.toLocaleDateString("en-GB", DAY)}, ${clock}` : clock;
}
