// Looking closer at a photo: wheel, pinch, double tap, a button and keys; a closer look is at the original, not its copy.

const stage = document.getElementById("stage");
const columns = matchMedia("(min-width: 1000px)"); // where the wheel over the picture need not move the page
const MOST = 8;
const CLOSER = 2.5; // what the button and a double tap give
const STEP = 1.5; // what a key gives
const TAP = { time: 300, distance: 24 }; // milliseconds and pixels between two taps that are one double tap
const ORIGINAL_FROM = 1.3;

const fingers = new Map(); // pointers on the picture, by id: where each is
let view = { scale: 1, x: 0, y: 0 }; // x and y move the picture's middle from the stage's, in pixels of the page
let tapped = null;
let moved = 0;

const picture = () => stage.querySelector("figure img");
const between = (least, value, most) => Math.min(Math.max(value, least), most);

/** The picture's size on the page when it is not zoomed: `object-fit: scale-down` leaves room beside it. */
function fitted(image) {
  const fit = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight, 1);
  return { width: image.naturalWidth * fit, height: image.naturalHeight * fit };
}

function show() {
  const image = picture();
  const size = fitted(image);
  const room = (length, inside) => Math.max(0, (length * view.scale - inside) / 2);
  view.x = between(-room(size.width, stage.clientWidth), view.x, room(size.width, stage.clientWidth));
  view.y = between(-room(size.height, stage.clientHeight), view.y, room(size.height, stage.clientHeight));
  const closer = view.scale > 1;
  image.style.transform = closer ? `translate(${view.x}px, ${view.y}px) scale(${view.scale})` : "";
  stage.toggleAttribute("data-zoomed", closer);
  document.getElementById("zoom").setAttribute("aria-pressed", String(closer));
  if (view.scale >= ORIGINAL_FROM) fetchOriginal(image);
}

/** Put the original in the place of its smaller copy, once; where it cannot be had the copy has to do. */
async function fetchOriginal(image) {
  const address = image.dataset.original;
  if (!address) return;
  delete image.dataset.original;
  const original = new Image();
  original.src = address;
  try {
    await original.decode();
  } catch {
    return;
  }
  if (image !== picture()) return;
  const before = fitted(image).width;
  image.src = address;
  try {
    await image.decode();
  } catch {
    return;
  }
  // A copy smaller than the stage is not blown up, its original fills it: what is seen keeps its size.
  view.scale = Math.max(1, (view.scale * before) / fitted(image).width);
  show();
}

/** Zoom to `scale`; the point of the picture at (clientX, clientY), by default the stage's middle, stays where it is. */
function zoom(scale, clientX, clientY) {
  if (!picture()?.naturalWidth) return;
  const place = stage.getBoundingClientRect();
  const across = clientX === undefined ? 0 : clientX - place.left - place.width / 2;
  const down = clientY === undefined ? 0 : clientY - place.top - place.height / 2;
  const next = between(1, scale, MOST);
  const by = next / view.scale;
  view = { scale: next, x: across - (across - view.x) * by, y: down - (down - view.y) * by };
  show();
}

function pan(x, y) {
  view.x += x;
  view.y += y;
  show();
}

const toggle = (clientX, clientY) => zoom(view.scale > 1 ? 1 : CLOSER, clientX, clientY);
const ours = (event) => picture() && !event.target.closest("a, button");

/** The middle of the fingers, and how far two are apart. */
function grip() {
  const [one, other = one] = [...fingers.values()];
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
}

stage.addEventListener("pointerdown", (event) => {
  if (!ours(event) || event.button !== 0 || fingers.size === 2) return;
  if (!fingers.size) moved = 0;
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (fingers.size === 2) moved = Infinity; // whatever comes of it is no tap
});

addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const before = grip();
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  const now = grip();
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  if (fingers.size === 1 && view.scale === 1) return;
  stage.setAttribute("data-held", "");
  if (before.apart && now.apart) zoom((view.scale * now.apart) / before.apart, before.x, before.y);
  pan(now.x - before.x, now.y - before.y);
});

function release(event) {
  if (!fingers.delete(event.pointerId)) return;
  if (!fingers.size) stage.removeAttribute("data-held");
  if (event.type === "pointercancel" || fingers.size || moved > TAP.distance) {
    tapped = null;
    return;
  }
  const { clientX: x, clientY: y, timeStamp: time } = event;
  if (tapped && time - tapped.time < TAP.time && Math.hypot(x - tapped.x, y - tapped.y) < TAP.distance) {
    tapped = null;
    toggle(x, y);
  } else tapped = { x, y, time };
}
addEventListener("pointerup", release);
addEventListener("pointercancel", release);

// Two fingers would else scroll the page, and one, once it is zoomed.
stage.addEventListener("touchmove", (event) => {
  if (event.cancelable && picture() && (event.touches.length > 1 || view.scale > 1)) event.preventDefault();
}, { passive: false });
stage.addEventListener("dragstart", (event) => view.scale > 1 && event.preventDefault());

stage.addEventListener("wheel", (event) => {
  if (!ours(event) || !(columns.matches || event.ctrlKey)) return;
  if (event.deltaY > 0 && view.scale === 1 && !event.ctrlKey) return;
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  // A trackpad's pinch comes as a wheel with Ctrl, in much smaller steps.
  zoom(view.scale * Math.exp(-between(-100, event.deltaY * lines, 100) * (event.ctrlKey ? 0.01 : 0.003)), event.clientX, event.clientY);
}, { passive: false });

// Not on the button itself, which comes later where the picture is still being made ready.
stage.addEventListener("click", (event) => event.target.closest("#zoom") && toggle());

const FAR = 80;
const KEYS = {
  "+": () => zoom(view.scale * STEP),
  "=": () => zoom(view.scale * STEP), // the same key, without Shift
  "-": () => zoom(view.scale / STEP),
  "0": () => zoom(1),
};
const ZOOMED_KEYS = {
  Escape: () => zoom(1),
  ArrowLeft: () => pan(FAR, 0),
  ArrowRight: () => pan(-FAR, 0),
  ArrowUp: () => pan(0, FAR),
  ArrowDown: () => pan(0, -FAR),
};
addEventListener("keydown", (event) => {
  if (!picture() || event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select, pre, summary")) return;
  const act = KEYS[event.key] ?? (view.scale > 1 ? ZOOMED_KEYS[event.key] : undefined);
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // the arrows turn to the neighbours only where the whole picture is seen
  act();
});

addEventListener("resize", () => view.scale > 1 && show());
