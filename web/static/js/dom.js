// Small helpers to make elements. Text is always set as text, never as markup.
const version = document.body?.dataset.version ?? "";
const SVG = "http://www.w3.org/2000/svg";

/** Make an element: `el("p", {class: "say", hidden: true}, "text", child)`. Null and false attributes and children are left out. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A drawn icon from the sprite. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons/sprite.svg?v=${version}#${name}`);
  svg.append(use);
  return svg;
}

// A press whose button is replaced before it ends does nothing: what is drawn anew waits until no finger is down.
let released = null;
let release = null;
const letGo = () => setTimeout(() => { // its click comes first
  released = null;
  release?.();
});
addEventListener("pointerdown", () => (released ??= new Promise((done) => (release = done))), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, letGo, true);
addEventListener("blur", letGo);
addEventListener("pointermove", (event) => released && !event.buttons && letGo(), true); // a menu took the end of the press

/** Fetch this very page again, or another, and return it as a document, or null where the box does not answer. */
export async function fresh(address = location.href, signal = undefined) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal });
    const page = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    await released;
    return page;
  } catch {
    return null;
  }
}

/** Makes of `work` one that runs once at a time, and once more for all who ask meanwhile: no older answer comes last. */
export function inTurn(work) {
  let going = Promise.resolve();
  let next = null;
  const run = () => {
    next = null;
    return work();
  };
  return () => (next ??= going = going.then(run, run));
}

/** Put the fresh page's part `#id` in the place of ours where they differ; tells whether it did. */
export function swap(page, id) {
  const ours = document.getElementById(id);
  const theirs = page.getElementById(id);
  if (!ours || !theirs) return false;
  // What was unfolded stays so, and is no difference.
  const unfolded = [...ours.querySelectorAll("details")].map((one) => one.open);
  theirs.querySelectorAll("details").forEach((one, place) => { one.open = unfolded[place] ?? one.open; });
  if (ours.isEqualNode(theirs)) return false;
  const focused = ours.contains(document.activeElement) ? document.activeElement.dataset.describe : null;
  ours.replaceChildren(...theirs.childNodes);
  for (const { name, value } of theirs.attributes) ours.setAttribute(name, value);
  if (!theirs.hasAttribute("hidden")) ours.removeAttribute("hidden");
  if (focused) ours.querySelector("[data-describe]")?.focus();
  return true;
}
