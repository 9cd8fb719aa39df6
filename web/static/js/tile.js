// One picture in the rows, drawn as parts.html draws it, and kept true to its item.
import { el, icon } from "./dom.js";
import { SAY } from "./sentences.js";
import { duration } from "./words.js";

/** What orders the library: newest first, then the larger id. */
export const key = (item) => (item.taken_at ?? item.added_at).slice(0, 19);

/** Make the tile of an item. */
export function tile(item) {
  const node = el("a", { class: "tile", href: `/items/${item.id}${item.hit_at ? `#t=${item.hit_at}` : ""}` });
  fill(node, item);
  return node;
}

/** Draw `item` into its tile; an unchanged picture stays as it is. Tells whether its place or shape changed. */
export function fill(node, item) {
  const ready = item.prepared && item.width;
  const ratio = ready ? String(Math.round((item.width / item.height) * 10000) / 10000) : "1";
  const moved = node.dataset.key !== key(item) || node.dataset.ratio !== ratio;
  const left = item.status === "pending" && !item.asked;
  Object.assign(node.dataset, { id: item.id, status: item.status, key: key(item), ratio });
  node.toggleAttribute("data-left", left);
  let picture = node.querySelector("img");
  if (ready && !picture) {
    picture = el("img", { src: item.urls.small, width: item.width, height: item.height, decoding: "async", loading: "lazy" });
  }
  const same = picture?.alt === (item.description ?? item.name);
  if (picture) picture.alt = item.description ?? item.name;
  const parts = [picture ?? el("span", { class: "plain" }, icon(item.kind), el("span", {}, item.name))];
  if (item.duration) {
    parts.push(el("span", { class: "length" }, icon("play"), el("span", { class: "sr" }, SAY.video), duration(item.duration)));
  }
  // What the box tells of an item does not know what was searched for: the same words keep what is marked in them.
  if (!same || item.marks) node.toggleAttribute("data-found", Boolean(ready && item.marks?.some(({ marked }) => marked)));
  const found = node.hasAttribute("data-found");
  if ((item.description || found) && ready) {
    const pieces = found ? item.marks?.map(({ text, marked }) => (marked ? el("mark", {}, text) : text)) : [item.description];
    parts.push(pieces ? el("span", { class: "said", "aria-hidden": "true" }, ...pieces) : (node.querySelector(".said") ?? ""));
  }
  const said = left ? SAY.notDescribedYet : SAY.states[item.status];
  parts.push(el("span", { class: "mark", "aria-hidden": "true" }, left && icon("moon")), el("span", { class: "sr state-said" }, said));
  node.replaceChildren(...parts);
  return moved;
}
