// On every page: the count at Activity, the word when the box is away, the head that steps aside on the way down.
import { on } from "./live.js";
import { number } from "./words.js";

const note = document.getElementById("connection");
let silence = null;

function away() {
  silence ??= setTimeout(() => {
    note.textContent = "The box does not answer. This page goes on by itself when it is back.";
    note.hidden = false;
  }, 4000);
}

on("away", away);
on("open", () => {
  clearTimeout(silence);
  silence = null;
  note.hidden = true;
});

const count = document.querySelector("[data-busy]");
on("status", ({ counts }) => {
  const busy = (counts.pending ?? 0) + (counts.processing ?? 0);
  count.hidden = !busy;
  count.querySelector("[data-number]").textContent = number(busy);
});

let before = scrollY;
addEventListener("scroll", () => {
  if (Math.abs(scrollY - before) < 8) return;
  document.documentElement.dataset.scroll = scrollY > before && scrollY > 80 ? "down" : "up";
  before = scrollY;
}, { passive: true });

// A file let go on a page that takes none would be opened by the browser in its place.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
