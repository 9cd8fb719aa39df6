// While a model is installed or looked over, the page is asked for anew every other second and what changed is put in.
const EVERY = 1500;

const told = document.getElementById("told");
const said = (root) => [...root.querySelectorAll("[data-said]")].map((one) => one.textContent.trim().replace(/[:,]? \d.*$/, "")).join(" ");

/** Put in what the box answers, and leave the focus and what was unfolded where they were. */
function show(fresh) {
  const now = document.getElementById("models");
  const focused = document.activeElement?.closest("#models button")?.value;
  const unfolded = [...now.querySelectorAll("details")].map((one) => one.open);
  const before = said(now);
  now.replaceWith(fresh);
  [...fresh.querySelectorAll("details")].forEach((one, index) => (one.open = unfolded[index] ?? false));
  if (focused !== undefined) [...fresh.querySelectorAll("button")].find((one) => one.value === focused)?.focus({ preventScroll: true });
  if (said(fresh) !== before) told.textContent = said(fresh);
}

async function look() {
  if (!document.querySelector("#models[data-under-way]")) return;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("models");
    const unfolding = document.querySelector("#models details[open]");
    if (fresh && !(unfolding && fresh.hasAttribute("data-under-way"))) show(document.adoptNode(fresh));
  } catch {
    // The box is away for a moment; it is asked again.
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
