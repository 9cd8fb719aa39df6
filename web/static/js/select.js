// Choosing many: with "Choose", a long press, shift or the space bar; then one thing is done with all, and can be undone.
import { call } from "./api.js";
import { el } from "./dom.js";
import { singleKeys } from "./keys.js";
import { SAY } from "./sentences.js";
import { number } from "./words.js";

const MOST = 500;
const library = document.getElementById("library");
const months = document.getElementById("months");
const bar = document.getElementById("selection");
const starter = document.getElementById("choose");
const toast = document.getElementById("toast");
const chosen = new Set();
let choosing = false;
let last = null;
let fade = null;

const tiles = () => [...months.querySelectorAll(".tile")];

function draw() {
  library.classList.toggle("choosing", choosing);
  bar.hidden = !choosing;
  starter?.setAttribute("aria-pressed", String(choosing));
  bar.querySelector("[data-count]").textContent = chosen.size ? SAY.chosen(number(chosen.size), chosen.size >= MOST) : SAY.choose;
  for (const button of bar.querySelectorAll("[data-do]")) button.disabled = !chosen.size;
  for (const tile of tiles()) {
    const on = chosen.has(tile.dataset.id);
    tile.toggleAttribute("data-chosen", on);
    if (choosing) tile.setAttribute("aria-selected", String(on));
    else tile.removeAttribute("aria-selected");
    tile.setAttribute("role", choosing ? "option" : "link");
  }
  for (const rows of months.querySelectorAll(".rows")) {
    if (choosing) Object.entries({ role: "listbox", "aria-multiselectable": "true", "aria-label": SAY.toChooseFrom }).forEach(([name, value]) => rows.setAttribute(name, value));
    else for (const name of ["role", "aria-multiselectable", "aria-label"]) rows.removeAttribute(name);
  }
}

/** Choose no more. */
export function stop() {
  chosen.clear();
  choosing = false;
  last = null;
  draw();
}

function toggle(tile, range) {
  choosing = true;
  const all = tiles();
  const from = all.indexOf(last);
  const to = all.indexOf(tile);
  const on = !chosen.has(tile.dataset.id);
  for (const one of range && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [tile]) {
    if (on && chosen.size < MOST) chosen.add(one.dataset.id);
    else if (!on) chosen.delete(one.dataset.id);
  }
  last = tile;
  draw();
}

function say(text, undo) {
  clearTimeout(fade);
  toast.replaceChildren(el("span", {}, text));
  if (undo) toast.append(el("button", { class: "button", type: "button", onclick: undo }, SAY.undo));
  toast.hidden = false;
  // A reader needs time to come to the button: it stays as long as somebody is at it.
  fade = setTimeout(function away() {
    if (toast.matches(":hover, :focus-within")) fade = setTimeout(away, 5000);
    else toast.hidden = true;
  }, 12000);
}

async function act(action, ids, tag) {
  try {
    const { changed, undo } = await call("POST", "/api/v1/items/bulk", { ids, action, ...(tag ? { tag } : {}) });
    const what = changed.length ? SAY.changed[action](number(changed.length)) : SAY.nothingChanged;
    say(what, undo && changed.length ? () => act(undo, changed, tag) : null);
  } catch (error) {
    say(error.message);
  }
}

bar.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const ids = [...chosen].map(Number);
  if (button.dataset.do === "stop") stop();
  else if (button.dataset.do === "download") {
    location.assign(`/api/v1/items/download?ids=${ids.join(",")}`);
    stop();
  } else if (button.dataset.do === "tag") askForTag();
  else {
    stop();
    await act(button.dataset.do, ids);
  }
  if (!choosing) starter?.focus();
});

const tagging = document.getElementById("tagging");
function askForTag() {
  // Else Escape would answer what was answered the last time.
  tagging.returnValue = "";
  tagging.querySelector("input").value = "";
  tagging.showModal();
}
tagging.addEventListener("close", async () => {
  const tag = tagging.querySelector("input").value.trim();
  if (tagging.returnValue !== "tag" || !tag) return;
  const ids = [...chosen].map(Number);
  stop();
  await act("tag", ids, tag);
});

starter?.addEventListener("click", () => {
  if (choosing) return stop();
  choosing = true;
  draw();
});

// Before the library's own listener, which would remember the picture as opened.
months.addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (!tile || !(choosing || event.shiftKey || event.ctrlKey || event.metaKey)) return;
  if (!choosing && !event.shiftKey) return; // a new tab, as everywhere
  event.preventDefault();
  event.stopImmediatePropagation();
  toggle(tile, event.shiftKey);
}, true);

months.addEventListener("keydown", (event) => {
  const tile = event.target.closest(".tile");
  if (tile && (event.key === " " || (event.key === "x" && singleKeys()))) {
    event.preventDefault();
    toggle(tile, event.shiftKey);
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && choosing && !document.querySelector(":is(dialog[open], :popover-open)")) {
    stop();
    starter?.focus();
  }
});

// A long press: the browser's own menu for it, which Android opens and iOS does not, is kept away.
let press = null;
let pressed = false; // and chosen by it: letting go is no tap
const release = () => clearTimeout(press);
months.addEventListener("touchstart", (event) => {
  const tile = event.target.closest(".tile");
  pressed = false;
  if (!tile || event.touches.length > 1) return release();
  press = setTimeout(() => {
    navigator.vibrate?.(15);
    toggle(tile, false);
    pressed = true;
  }, 500);
}, { passive: true });
months.addEventListener("touchend", (event) => {
  if (pressed && event.cancelable) event.preventDefault();
  pressed = false;
}, { passive: false });
for (const kind of ["touchend", "touchmove", "touchcancel", "scroll"]) addEventListener(kind, release, { passive: true });
months.addEventListener("contextmenu", (event) => {
  if (event.target.closest(".tile") && matchMedia("(hover: none)").matches) event.preventDefault();
});

/** Draw the choice into tiles that came since. */
export const redraw = () => choosing && draw();
