// The library: rows, endless scrolling, and pictures that arrive or get their words while one looks.
import { get, items as fetchItems } from "./api.js";
import { el } from "./dom.js";
import { on } from "./live.js";
import { lay } from "./rows.js";
import { scrubber } from "./scrubber.js";
import { redraw } from "./select.js";
import { SAY } from "./sentences.js";
import { fill, key, tile } from "./tile.js";
import "./keys.js";
import { month, number } from "./words.js";

const library = document.getElementById("library");
const months = document.getElementById("months");
const end = document.getElementById("end");
const filters = () => JSON.parse(library.dataset.filters);
const plain = () => Object.entries(filters()).every(([name, value]) => !value || name === "kind" || name === "status");
const best = filters().order === "best";
const from = library.dataset.from; // the month that the page begins in, "" for the newest
let loading = false;

const layAll = () => months.querySelectorAll(".rows").forEach(lay);
const tileOf = (id) => months.querySelector(`.tile[data-id="${id}"]`);

/** The rows of a month, made at its place between the others where there are none yet. */
function rowsOf(moment) {
  const name = best ? "best" : moment.slice(0, 7);
  const sections = [...months.children];
  const found = sections.find((section) => section.dataset.month === name);
  if (found) return found.querySelector(".rows");
  const rows = el("div", { class: "rows" });
  const section = el(
    "section", { class: "month", "data-month": name, "aria-labelledby": `m${name}` }, el("h2", { id: `m${name}` }, month(moment)), rows,
  );
  months.insertBefore(section, sections.find((other) => other.dataset.month < name) ?? null);
  return rows;
}

function place(node) {
  const old = node.parentElement;
  const rows = rowsOf(node.dataset.key);
  if (best) {
    if (!old) rows.append(node);
    return rows;
  }
  const comes = (other) => other.dataset.key < node.dataset.key || (other.dataset.key === node.dataset.key && Number(other.dataset.id) < Number(node.dataset.id));
  rows.insertBefore(node, [...rows.children].find((other) => other !== node && comes(other)) ?? null);
  if (old && old !== rows) {
    if (old.children.length) lay(old);
    else old.closest(".month").remove();
  }
  return rows;
}

function drop(node) {
  const rows = node.parentElement;
  node.remove();
  if (rows.children.length) lay(rows);
  else rows.closest(".month").remove();
}

const fits = (item) => plain() && (!filters().kind || item.kind === filters().kind) && (!filters().status || item.status === filters().status);

/** Show what became of an item: redraw its tile, or put a new one where it belongs. */
function show(item) {
  let node = tileOf(item.id);
  if (item.trashed_at || item.live_of) {
    if (node) drop(node);
    return;
  }
  if (from && key(item).slice(0, 7) > from) {
    if (node) drop(node);
    return;
  }
  if (node) {
    if (fill(node, item)) lay(place(node));
    return;
  }
  if (!fits(item)) return;
  const last = [...months.querySelectorAll(".tile")].at(-1);
  if (library.dataset.cursor && last && key(item) < last.dataset.key) return;
  if (!end) return location.reload(); // the first one of all: the empty box's page has no search field yet
  node = tile(item);
  lay(place(node));
}

async function more(limit = 100) {
  if (loading || !library.dataset.cursor) return;
  loading = true;
  try {
    const page = await fetchItems({ ...filters(), cursor: library.dataset.cursor, limit });
    library.dataset.cursor = page.cursor ?? "";
    const touched = new Set();
    for (const item of page.items) {
      if (!tileOf(item.id)) touched.add(place(tile(item)));
    }
    touched.forEach(lay);
    redraw();
    if (!page.cursor) end.textContent = from ? SAY.thatIsAll : SAY.thatIsAllOf(number(months.querySelectorAll(".tile").length));
  } catch (error) {
    end.replaceChildren(el("span", {}, error.message, " "), el("button", { class: "button", type: "button", onclick: () => more() }, SAY.tryAgain));
  } finally {
    loading = false;
  }
}

const nearEnd = () => end && library.dataset.cursor && end.getBoundingClientRect().top < innerHeight + 2000;
async function moreWhileNear() {
  while (nearEnd() && !loading) {
    const cursor = library.dataset.cursor;
    await more();
    if (cursor === library.dataset.cursor) return;
  }
}

/** Note which picture is at the top and how far up, for whoever comes back to this page. */
function leaveMark() {
  const inView = (one) => one.getBoundingClientRect().bottom > 0;
  const node = scrollY ? [...([...months.children].find(inView)?.querySelectorAll(".tile") ?? [])].find(inView) : null;
  history.replaceState(node ? { id: node.dataset.id, top: node.getBoundingClientRect().top } : null, "");
}

/** Coming back: bring the list to where it was left. */
async function comeBack() {
  const mark = history.state;
  if (!mark) return;
  for (let pages = 0; pages < 30 && !tileOf(mark.id) && library.dataset.cursor; pages++) await more(500);
  const node = tileOf(mark.id);
  if (!node) return;
  node.scrollIntoView(); // which makes the browser measure the months around it
  for (let times = 0; times < 2; times++) {
    await new Promise(requestAnimationFrame);
    scrollBy(0, node.getBoundingClientRect().top - mark.top);
  }
}

const top = document.querySelector(".top");
const measure = () => document.documentElement.style.setProperty("--top", `${top?.offsetHeight ?? 0}px`);
measure();
const follow = scrubber(months);
layAll();
let still = null;
new ResizeObserver(() => { measure(); layAll(); }).observe(months);
addEventListener("scroll", () => {
  moreWhileNear();
  follow();
  clearTimeout(still);
  still = setTimeout(leaveMark, 150);
}, { passive: true });
months.addEventListener("click", leaveMark);
history.scrollRestoration = "manual";
comeBack().then(moreWhileNear);

/** Read the list anew, as far as it is shown, and let go of what is not in it. */
async function renew() {
  const shown = [...months.querySelectorAll(".tile")];
  const there = new Set();
  let cursor = null;
  do {
    const page = await fetchItems({ ...filters(), ...(cursor ? { cursor } : { from }), limit: 500 });
    page.items.forEach((item) => {
      there.add(String(item.id));
      show(item);
    });
    cursor = page.cursor;
  } while (cursor && there.size < shown.length);
  for (const node of shown) if (!there.has(node.dataset.id)) drop(node);
  library.dataset.cursor = cursor ?? "";
}

on("item", show);
on("removed", (ids) => ids.map(tileOf).forEach((node) => node && drop(node)));
on("missed", () => renew().catch(() => {})); // the box went away again: the next time it is told anew
on("open", async () => {
  // What happened before the stream stood is not told by it: look at the newest and at what was unfinished.
  try {
    if (plain()) (await fetchItems({ ...filters(), limit: 50 })).items.forEach(show);
    const open = [...months.querySelectorAll('.tile[data-status="pending"], .tile[data-status="processing"]')].slice(0, 50);
    for (const node of open) show(await get(`/api/v1/items/${node.dataset.id}`));
  } catch {
    // The box went away again: the next "open" tries anew.
  }
});
