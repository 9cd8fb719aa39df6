// While a model is installed or looked over, the page is asked for anew every other second and what changed is put in.
import { fresh } from "./dom.js";

const EVERY = 1500;

const told = document.getElementById("told");
const said = (root) => [...root.querySelectorAll("[data-said]")].map((one) => one.textContent.trim().replace(/[:,]? \d.*$/, "")).join(" ");

/** Put in what the box answers, and leave the focus and what was unfolded where they were. */
function show(next) {
  const now = document.getElementById("models");
  const focused = document.activeElement?.closest("#models button")?.value;
  const unfolded = [...now.querySelectorAll("details")].map((one) => one.open);
  const before = said(now);
  [...next.querySelectorAll("details")].forEach((one, index) => (one.open = unfolded[index] ?? false));
  if (now.isEqualNode(next)) return;
  now.replaceWith(next);
  if (focused !== undefined) [...next.querySelectorAll("button")].find((one) => one.value === focused)?.focus({ preventScroll: true });
  if (said(next) !== before) told.textContent = said(next);
}

async function look() {
  if (!document.querySelector("#models[data-under-way]")) return;
  const next = (await fresh(location.pathname))?.getElementById("models");
  const unfolding = document.querySelector("#models details[open]");
  if (next && !(unfolding && next.hasAttribute("data-under-way"))) show(document.adoptNode(next));
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
