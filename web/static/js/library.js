// The library: rows, endless scrolling, and pictures that arrive or get their words while one looks.
import { get, items as fetchItems } from "./api.js";
import { el, swap } from "./dom.js";
import { on } from "./live.js";
import { comeBack, leaveMark } from "./mark.js";
import { forget, lay } from "./rows.js";
import { scrubber } from "./scrubber.js";
import { search } from "./search.js";
import { redraw, stop } from "./select.js";
import { SAY } from "./sentences.js";
import { fill, key, tile } from "./tile.js";
import "./keys.js";
import { month, number } from "./words.js";

const library = document.getElementById("library");
const months = document.getElementById("months");
const end = () => document.getElementById("end");
const filters = () => JSON.parse(library.dataset.filters);
const plain = () => Object.entries(filters()).every(([name, value]) => !value || name === "kind" || name === "status");
const best = () => filters().order === "best";
const from = () => library.dataset.from; // the month that the page begins in, "" for the newest
let loading = false;
let list = 0; // which search counts: what was asked for an older one comes too late

function layAll() {
  forget();
  months.querySelectorAll(".rows").forEach(lay);
}
const tileOf = (id) => months.querySelector(`.tile[data-id="${id}"]`);

/** The rows of a month, made at its place between the others where there are none yet. */
function rowsOf(moment) {
  const name = best() ? "best" : moment.slice(0, 7);
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
  if (best()) {
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
  if (from() && key(item).slice(0, 7) > from()) {
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
  if (!end()) return location.reload(); // the first one of all: the empty box's page has no search field yet
  node = tile(item);
  lay(place(node));
}

async function more(limit = 100) {
  if (loading || !library.dataset.cursor) return;
  loading = true;
  const mine = list;
  try {
    const page = await fetchItems({ ...filters(), cursor: library.dataset.cursor, limit });
    if (mine !== list) return;
    library.dataset.cursor = page.cursor ?? "";
    const touched = new Set();
    for (const item of page.items) {
      if (!tileOf(item.id)) touched.add(place(tile(item)));
    }
    touched.forEach(lay);
    redraw();
    if (!page.cursor) end().textContent = from() ? SAY.thatIsAll : SAY.thatIsAllOf(number(months.querySelectorAll(".tile").length));
  } catch (error) {
    if (mine === list) end().replaceChildren(el("span", {}, error.message, " "), el("button", { class: "button", type: "button", onclick: () => more() }, SAY.tryAgain));
  } finally {
    if (mine === list) loading = false;
  }
}

const nearEnd = () => end() && library.dataset.cursor && end().getBoundingClientRect().top < innerHeight + 2000;
async function moreWhileNear() {
  while (nearEnd() && !loading) {
    const cursor = library.dataset.cursor;
    await more();
    if (cursor === library.dataset.cursor) return;
  }
}

const top = document.querySelector(".top");
const measure = () => document.documentElement.style.setProperty("--top", `${top?.offsetHeight ?? 0}px`);
measure();
let follow = scrubber(months);
layAll();
let still = null;
let wide = months.clientWidth;
new ResizeObserver(() => {
  measure();
  if (months.clientWidth === wide) return; // it grew by rows that are laid already
  wide = months.clientWidth;
  layAll();
}).observe(months);
addEventListener("scroll", () => {
  moreWhileNear();
  follow();
  clearTimeout(still);
  still = setTimeout(leaveMark, 150, months);
}, { passive: true });
months.addEventListener("click", () => leaveMark(months));
history.scrollRestoration = "manual";
comeBack(tileOf, async () => library.dataset.cursor && (await more(500))).then(moreWhileNear);

/** Show the list of a page that the box drew for another search; the field and the buttons stay the same. */
function take(page) {
  const theirs = page.getElementById("library");
  list += 1;
  loading = false;
  Object.assign(library.dataset, theirs.dataset);
  library.classList.toggle("few", theirs.classList.contains("few"));
  const ours = (node) => (node.id && document.getElementById(node.id)) || node;
  document.getElementById("chips").replaceChildren(...[...page.getElementById("chips").childNodes].map(ours));
  for (const part of ["found", "before", "months", "menus", "after"]) swap(page, part);
  document.title = page.title;
  follow = scrubber(months);
  layAll();
  stop(); // what was chosen is no longer in sight
  scrollTo(0, 0);
  follow();
  moreWhileNear();
}
search(take);

/** Read the list anew, as far as it is shown, and let go of what is not in it. */
async function renew() {
  const shown = [...months.querySelectorAll(".tile")];
  const there = new Set();
  const mine = list;
  let cursor = null;
  do {
    const page = await fetchItems({ ...filters(), ...(cursor ? { cursor } : { from: from() }), limit: 500 });
    if (mine !== list) return;
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
