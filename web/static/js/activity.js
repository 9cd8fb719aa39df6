// Activity, as it happens: the box draws the page, this puts the new drawing in the old one's place.
import { fresh, swap } from "./dom.js";
import { on } from "./live.js";

const EVERY = 1000;
let asked = null;
let last = 0;

async function renew() {
  const page = await fresh();
  last = Date.now();
  if (!page) return;
  const focused = document.activeElement?.closest("#live a")?.getAttribute("href");
  swap(page, "sum");
  swap(page, "live");
  if (focused && !document.activeElement?.closest("#live")) document.querySelector(`#live a[href="${focused}"]`)?.focus();
}

function soon() {
  asked ??= setTimeout(() => {
    asked = null;
    renew();
  }, Math.max(100, last + EVERY - Date.now()));
}

for (const kind of ["item", "status", "open"]) on(kind, soon);
