// The library by keys: arrows from picture to picture, / to search, ? for the list of them all.
const dialog = document.getElementById("keys");
const box = dialog.querySelector("input");
const OFF = "single-keys-off";

let off = false;
try {
  off = localStorage.getItem(OFF) !== null;
} catch {
  // Storage is shut off in this browser: the choice lasts as long as the page.
}

/** Whether single letters do something: whoever speaks to the computer may not want that. */
export const singleKeys = () => !off;

const tiles = () => [...document.querySelectorAll("#months .tile")];
const middle = ({ left, width }) => left + width / 2;

/** The picture of the next row above or below that stands nearest. */
function beside(tile, down) {
  const all = tiles();
  const here = tile.getBoundingClientRect();
  const step = down ? 1 : -1;
  let found = null;
  let row = null;
  for (let index = all.indexOf(tile) + step; all[index]; index += step) {
    const place = all[index].getBoundingClientRect();
    if (Math.abs(place.top - here.top) < 1) continue;
    row ??= place.top;
    if (Math.abs(place.top - row) >= 1) break;
    const off = Math.abs(middle(place) - middle(here));
    if (!found || off < found.off) found = { off, tile: all[index] };
  }
  return found?.tile;
}

function next(tile, key) {
  if (key === "ArrowDown" || key === "ArrowUp") return beside(tile, key === "ArrowDown");
  const all = tiles();
  if (key === "ArrowRight") return all[all.indexOf(tile) + 1];
  if (key === "ArrowLeft") return all[all.indexOf(tile) - 1];
  return null;
}

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) return;
  const tile = event.target.closest(".tile");
  const to = tile && !event.shiftKey && next(tile, event.key);
  if (to) {
    event.preventDefault();
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  } else if (!singleKeys()) return;
  else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("q")?.focus();
  } else if (event.key === "?") {
    event.preventDefault();
    dialog.showModal();
  }
});

box.checked = singleKeys();
box.addEventListener("change", () => {
  off = !box.checked;
  try {
    if (off) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  } catch {
    // As above.
  }
});
document.getElementById("show-keys")?.addEventListener("click", () => dialog.showModal());
