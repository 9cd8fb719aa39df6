// Activity, as it happens: the box draws the page, this puts the new drawing in the old one's place.
import { post } from "./api.js";
import { fresh, inTurn, swap } from "./dom.js";
import { on } from "./live.js";

const EVERY = 1000;
let asked = null;
let last = Date.now();
let way = null; // to what had the focus when it was pressed: a button that is off loses it

/** What leads back to `node` of the list once that is drawn anew: the same button, else the picture that it belongs to. */
function wayTo(node) {
  const one = node?.closest("#live :is(a, button)");
  if (!one) return null;
  const link = one.closest("a") ?? one.closest("li")?.querySelector("a");
  return [one.dataset.post && `[data-post="${one.dataset.post}"]`, link && `a[href="${link.getAttribute("href")}"]`]
    .filter(Boolean).map((way) => `#live ${way}`);
}

const renew = inTurn(async () => {
  const page = await fresh();
  last = Date.now();
  if (!page) return;
  const back = way ?? wayTo(document.activeElement);
  way = null;
  const held = document.activeElement?.closest("#hold");
  swap(page, "sum");
  if (swap(page, "hold") && held) document.querySelector("#hold button")?.focus();
  swap(page, "live");
  swap(page, "past");
  // The focus falls to the body where its node went; one that was put elsewhere meanwhile stays.
  if (back && (document.activeElement ?? document.body) === document.body) {
    (back.map((one) => document.querySelector(one)).find(Boolean) ?? document.getElementById("main")).focus();
  }
});

function soon() {
  asked ??= setTimeout(() => {
    asked = null;
    renew();
  }, Math.max(100, last + EVERY - Date.now()));
}

document.querySelector("main").addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button) return;
  const trouble = document.getElementById("trouble");
  const held = button.closest("#hold");
  way = wayTo(button);
  button.disabled = true;
  try {
    await post(button.dataset.post);
    trouble.hidden = true;
    await renew();
    if (held) held.querySelector("button")?.focus();
  } catch (error) {
    trouble.textContent = error.message;
    trouble.hidden = false;
  }
  button.disabled = false;
});

// The seconds go on between two drawings.
setInterval(() => {
  const since = Math.round((Date.now() - last) / 1000);
  for (const one of document.querySelectorAll("[data-elapsed]")) one.textContent = String(Number(one.dataset.elapsed) + since);
}, 1000);

for (const kind of ["item", "status", "open"]) on(kind, soon);
