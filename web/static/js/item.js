// One picture: keys and swipes to its neighbours, describing again, and its words as they are written.
import { post } from "./api.js";
import { fresh, swap } from "./dom.js";
import { on } from "./live.js";
import { watch } from "./scenes.js";

const article = document.getElementById("item");
const stage = document.getElementById("stage");
const id = Number(article.dataset.id);

/** Take over from the box what has changed; the player is left alone once it stands. */
async function renew() {
  const page = await fresh();
  const theirs = page?.getElementById("item");
  if (!theirs) return;
  article.dataset.status = theirs.dataset.status;
  if (stage.dataset.ready !== "yes") swap(page, "stage");
  for (const part of ["scenes", "writing", "actions", "facts", "history"]) swap(page, part);
  document.title = page.title;
  watch();
}

let asked = null;
function renewSoon() {
  asked ??= setTimeout(() => {
    asked = null;
    renew();
  }, 120);
}

article.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-describe]");
  if (!button) return;
  button.disabled = true;
  try {
    await post(button.dataset.describe);
    await renew();
  } catch (error) {
    const trouble = document.getElementById("trouble");
    trouble.textContent = error.message;
    trouble.hidden = false;
    button.disabled = false;
  }
});

const go = (rel) => document.querySelector(`.stage [rel="${rel}"]`)?.click();
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("input, textarea, select, video, pre, .scenes")) return;
  if (event.key === "ArrowLeft") go("prev");
  else if (event.key === "ArrowRight") go("next");
  else if (event.key === "Escape") document.querySelector("[data-home]").click();
});

let touch = null;
stage.addEventListener("touchstart", (event) => {
  touch = event.touches.length === 1 && !event.target.closest("video") && !stage.hasAttribute("data-zoomed") ? event.touches[0] : null;
}, { passive: true });
stage.addEventListener("touchend", (event) => {
  if (!touch || (window.visualViewport?.scale ?? 1) > 1.05) return;
  const { clientX, clientY } = event.changedTouches[0];
  const across = clientX - touch.clientX;
  if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(clientY - touch.clientY)) go(across > 0 ? "prev" : "next");
  touch = null;
}, { passive: true });

// Back to where one came from, so that the library stands where it was left.
stage.addEventListener("click", (event) => {
  if (!event.target.closest("[data-home]")) return;
  const from = document.referrer && new URL(document.referrer);
  if (from && from.origin === location.origin && from.pathname === "/") {
    event.preventDefault();
    history.back();
  }
});

on("item", (item) => item.id === id && renewSoon());
let paused = null;
on("status", (status) => {
  if (paused !== null && paused !== status.paused && article.dataset.status === "pending") renewSoon();
  paused = status.paused;
});
on("open", () => article.dataset.status !== "completed" && renewSoon());
watch();
