// A learner who waits for the class to begin: how many there are, and in, as soon as it has.
const box = document.getElementById("waiting");

// What the room's websocket says of it. Whether this page is left now.
export function waits(there) {
  if (!box) return false;
  if (!there) {
    location.reload();
    return true;
  }
  const [count, one, more] = ["[data-there]", "[data-one]", "[data-more]"].map((part) => box.querySelector(part));
  if (count.textContent !== `${there}`) count.textContent = there;
  one.hidden = there !== 1;
  more.hidden = there === 1;
  return false;
}
