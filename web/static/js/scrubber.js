// The rail at the library's edge: pull its handle, or choose with keys, and the page begins in that month.
import { el } from "./dom.js";

const YEARS_APART = 18; // px between the years written beside the rail

/** Set the rail up; `months` holds the sections of the pictures. Returns what puts the handle where one has scrolled to. */
export function scrubber(months) {
  const rail = document.getElementById("scrubber");
  document.getElementById("library").classList.toggle("dated", Boolean(rail));
  if (!rail) return () => {};
  const thumb = rail.querySelector(".thumb");
  const bubble = rail.querySelector(".bubble");
  // The list that browsers without scripts show says which months there are.
  const stops = [...document.querySelectorAll("#when a")].map((link) => ({
    month: link.dataset.month, count: Number(link.dataset.count), href: link.href, name: link.textContent, before: 0,
  }));
  let total = 0;
  for (const stop of stops) {
    stop.before = total;
    total += stop.count;
  }
  let here = 0; // where one has scrolled to
  let meant = 0; // where the handle is
  let held = false;

  const room = () => rail.clientHeight - thumb.offsetHeight;
  const move = (part) => rail.style.setProperty("--at", `${(part * room()).toFixed(1)}px`);
  const at = (part) => {
    const found = stops.findIndex((stop) => part * total < stop.before + stop.count);
    return found < 0 ? stops.length - 1 : found;
  };

  function mean(index) {
    meant = Math.max(0, Math.min(stops.length - 1, index));
    thumb.setAttribute("aria-valuenow", String(meant));
    thumb.setAttribute("aria-valuetext", stops[meant].name);
    bubble.textContent = stops[meant].name;
  }

  function show(open) {
    rail.classList.toggle("moving", open);
    bubble.hidden = !open;
  }

  /** Let the handle follow the pictures. */
  function follow() {
    if (held || rail.classList.contains("moving")) return;
    const line = rail.getBoundingClientRect().top;
    const section = [...months.children].find((one) => one.getBoundingClientRect().bottom > line + 1);
    const index = stops.findIndex((stop) => stop.month <= (section?.dataset.month ?? ""));
    here = index < 0 ? stops.length - 1 : index;
    mean(here);
    const { top, height } = section?.getBoundingClientRect() ?? { top: line, height: 1 };
    const into = section?.dataset.month === stops[here].month ? Math.max(0, Math.min(1, (line - top) / height)) : 0;
    move((stops[here].before + stops[here].count * into) / total);
  }

  function stop(go) {
    held = false;
    show(false);
    if (go && meant !== here) location.assign(stops[meant].href);
    else follow();
  }

  thumb.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const grip = event.clientY - thumb.getBoundingClientRect().top;
    held = true;
    show(true);
    thumb.setPointerCapture(event.pointerId);
    thumb.onpointermove = ({ clientY }) => {
      const part = Math.max(0, Math.min(1, (clientY - grip - rail.getBoundingClientRect().top) / room()));
      move(part);
      mean(at(part));
    };
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    thumb.addEventListener(kind, () => {
      if (!held) return;
      thumb.onpointermove = null;
      stop(kind === "pointerup");
    });
  }

  const otherYear = (from, step) => {
    let index = from;
    while (stops[index + step] && stops[index].month.slice(0, 4) === stops[from].month.slice(0, 4)) index += step;
    return index;
  };
  const KEYS = {
    ArrowDown: () => meant + 1, ArrowRight: () => meant + 1, ArrowUp: () => meant - 1, ArrowLeft: () => meant - 1,
    PageDown: () => otherYear(meant, 1), PageUp: () => otherYear(meant, -1), Home: () => 0, End: () => stops.length - 1,
  };
  thumb.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (KEYS[event.key]) {
      show(true);
      mean(KEYS[event.key]());
      move(stops[meant].before / total);
    } else if (event.key === "Enter" || event.key === " ") stop(true);
    else if (event.key === "Escape" && rail.classList.contains("moving")) stop(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  thumb.addEventListener("blur", () => !held && stop(false));

  /** Write the years beside the rail, as many as there is room for. */
  function years() {
    rail.querySelectorAll(".year").forEach((year) => year.remove());
    let last = -Infinity;
    let written = "";
    for (const { month, before, href } of stops) {
      const top = (before / total) * room() + thumb.offsetHeight / 2;
      if (month.slice(0, 4) !== written && top - last >= YEARS_APART) {
        const year = el("a", { class: "year", href, tabindex: -1, "aria-hidden": "true" }, month.slice(0, 4));
        year.style.setProperty("top", `${top.toFixed(1)}px`);
        rail.append(year);
        last = top;
      }
      written = month.slice(0, 4);
    }
  }

  thumb.setAttribute("aria-valuemax", String(stops.length - 1));
  rail.hidden = false;
  new ResizeObserver(() => {
    years();
    follow();
  }).observe(rail);
  return follow;
}
