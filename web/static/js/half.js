// What this browser remembers of its uploads: what was sent in part goes on, what was sent whole is known again.
import { csrf } from "./api.js";

/** Where uploads of this page begin, and where each of them lies: a guest's link has a place of its own. */
export const PLACE = document.getElementById("add").dataset.place;

const KEPT = "shoebox.sent";
const LIFE = 7 * 86400e3;

/** What this browser remembers of its uploads, by the file's name, size and date: {address, name, done, at}. */
function all() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return Object.fromEntries(Object.entries(kept).filter(([, { at }]) => Date.now() - at < LIFE));
  } catch {
    return {}; // storage is shut off: a cut is survived as long as the page is open
  }
}

/** Of these, what was sent from this page or its like. */
export const remembered = () => Object.fromEntries(Object.entries(all()).filter(([, { address }]) => address.startsWith(`${PLACE}/`)));

export function remember(key, value) {
  const kept = all();
  if (value) kept[key] = { ...value, at: Date.now() };
  else delete kept[key];
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // As above, or it is full.
  }
}

export const keyOf = (file) => [file.name, file.size, file.lastModified].join("|");

/** The names of files of which a part was sent, the last time or before. */
export const half = () => Object.values(remembered()).filter(({ done }) => !done).map(({ name }) => name);

/** Forget, here and on the box, of what a part was sent. */
export function forgetHalf() {
  for (const [key, { address, done }] of Object.entries(remembered())) {
    if (done) continue;
    remember(key, null);
    terminate(address);
  }
}

/** Have the box forget what came of an upload; where it does not answer (null), it does so by itself in a week. */
export const terminate = (address) =>
  fetch(address, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0", "X-CSRF-Token": csrf() } }).catch(() => null);
