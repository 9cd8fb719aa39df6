// Activity, as it happens: the box draws the page, this puts the new drawing in the old one's place.
import { post } from "./api.js";
import { fresh, swap } from "./dom.js";
import { on } from "./live.js";

const EVERY = 1000;
let asked = null;
let last = Date.now();

async function renew() {
  const page = await fresh();
  last = Date.now();
  if (!page) return;
  const focused = document.activeElement?.closest("#live a")?.getAttribute("href");
  const held = document.activeElement?.closest("#hold");
  swap(page, "sum");
  if (swap(page, "hold") && held) document.querySelector("#hold button")?.focus();
  swap(page, "live");
  swap(page, "past");
  if (focused && !document.activeElement?.closest("#live")) document.querySelector(`#live a[href="${focused}"]`)?.focus();
}

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
