// On every page: the count at Activity, the word when the box is away, the head that steps aside on the way down.
import { remove } from "./api.js";
import { fresh, swap } from "./dom.js";
import { on } from "./live.js";
import { SAY } from "./sentences.js";
import { number } from "./words.js";

const note = document.getElementById("connection");
let silence = null;
let reason = "";

/** Say after a while that nothing is heard, or what the box says of itself, as where its disk was pulled out. */
function away(trouble) {
  reason = trouble.status && trouble.detail !== SAY.failed ? trouble.message : SAY.awayForNow;
  if (!note.hidden && note.textContent !== reason) note.textContent = reason;
  silence ??= setTimeout(() => {
    note.textContent = reason;
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

const notices = document.getElementById("notices");
async function renew() {
  const page = await fresh();
  if (page) swap(page, "notices");
}
on("status", (status) => {
  if (notices && status.notices.map(({ text }) => text).join(" ") !== notices.dataset.shown) renew();
});
notices?.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-dismiss]");
  if (!button) return;
  button.disabled = true;
  try {
    await remove(`/api/v1/notices/${button.dataset.dismiss}`);
  } catch {
    // Gone already, or the box is away: what stands there is fetched all the same.
  }
  await renew();
  button.disabled = false;
  (notices.querySelector("[data-dismiss]") ?? document.getElementById("main")).focus();
});

let before = scrollY;
addEventListener("scroll", () => {
  if (Math.abs(scrollY - before) < 8) return;
  document.documentElement.dataset.scroll = scrollY > before && scrollY > 80 ? "down" : "up";
  before = scrollY;
}, { passive: true });

// A file let go on a page that takes none would be opened by the browser in its place.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
