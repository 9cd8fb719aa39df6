// Whole pictures in rows of equal width: each row as high as its pictures' proportions make it, close to the wanted height.
const GAP = 4;
const NARROWEST = 56;

/** Break `ratios` into rows for `width` so that all heights together are closest to `wanted`; returns [{from, to, height}]. */
export function breakRows(ratios, width, wanted) {
  // best[to]: the cheapest way to set the first `to` pictures; each row costs the square of how far off its height is.
  const best = [{ cost: 0, from: 0, height: 0 }];
  for (let to = 1; to <= ratios.length; to++) {
    best.push({ cost: Infinity, from: to - 1, height: wanted });
    let sum = 0;
    for (let from = to - 1; from >= 0; from--) {
      sum += ratios[from];
      let height = (width - GAP * (to - from - 1)) / sum;
      // The last row may stay short, but is never blown up.
      const short = to === ratios.length && height > wanted * 1.15;
      if (short) height = wanted;
      const cost = best[from].cost + (short ? 0.02 : Math.log(height / wanted) ** 2);
      if (cost < best[to].cost) best[to] = { cost, from, height };
      if (height < wanted / 3) break;
    }
  }
  const rows = [];
  for (let to = ratios.length; to > 0; to = best[to].from) rows.unshift({ from: best[to].from, to, height: best[to].height });
  return rows;
}

// What the rows of every month have, asked once: each question makes the browser lay out what was written since the last.
let room = null;

/** Measure anew at the next month: the page's width is another. */
export function forget() {
  room = null;
}

/** Lay out one month's tiles. */
export function lay(box) {
  room ??= measured(document.getElementById("months"));
  const { width, wanted } = room;
  if (!width) return forget();
  const tiles = [...box.children];
  const ratios = tiles.map((tile) => Math.max(Number(tile.dataset.ratio) || 1, NARROWEST / wanted));
  let top = 0;
  for (const { from, to, height } of breakRows(ratios, width, wanted)) {
    let left = 0;
    for (let index = from; index < to; index++) {
      const style = tiles[index].style;
      style.setProperty("left", `${left.toFixed(2)}px`);
      style.setProperty("top", `${top.toFixed(2)}px`);
      style.setProperty("width", `${(ratios[index] * height).toFixed(2)}px`);
      style.setProperty("height", `${height.toFixed(2)}px`);
      left += ratios[index] * height + GAP;
    }
    top += height + GAP;
  }
  box.classList.add("laid");
  box.style.setProperty("height", `${Math.max(0, top - GAP).toFixed(2)}px`);
}

// A month out of sight may still have its former width, as the browser does not lay it out; and a custom property that
// holds clamp() is only resolved where it is used. So rows of no month are asked.
function measured(months) {
  const rows = document.createElement("div");
  rows.className = "rows";
  const row = rows.appendChild(document.createElement("div"));
  row.style.setProperty("position", "absolute");
  row.style.setProperty("height", "var(--row)");
  months.append(rows);
  const found = { width: rows.clientWidth, wanted: row.offsetHeight || 160 };
  rows.remove();
  return found;
}
