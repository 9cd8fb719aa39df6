// The scenes under a video: a click seeks and plays, and the one that is playing is marked and kept in sight.

const player = () => document.getElementById("player");
const scenes = () => [...document.querySelectorAll(".scene")];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let known = null;

function mark() {
  const now = player()?.currentTime ?? 0;
  const all = scenes();
  const current = all.filter((scene) => Number(scene.dataset.at) <= now + 0.05).at(-1) ?? all[0];
  for (const scene of all) {
    if (scene === current && !scene.hasAttribute("aria-current")) {
      scene.setAttribute("aria-current", "true");
      const strip = scene.closest(".scenes");
      const left = scene.offsetLeft - strip.offsetLeft - (strip.clientWidth - scene.offsetWidth) / 2;
      strip.scrollTo({ left, behavior: calm.matches ? "auto" : "smooth" });
    } else if (scene !== current) scene.removeAttribute("aria-current");
  }
}

async function jump(event) {
  const scene = event.target.closest(".scene");
  const video = player();
  if (!scene || !video || video.error) return;
  event.preventDefault();
  video.currentTime = Number(scene.dataset.at);
  mark();
  try {
    await video.play();
  } catch {
    // The browser wants a tap on the player itself: the moment is shown all the same.
  }
}

function cannotPlay() {
  if (player().error) document.querySelector(".unplayable").hidden = false;
  document.getElementById("scenes").hidden = false;
}

/** Listen to the player and the strip; may be called again when either was renewed. */
export function watch() {
  const video = player();
  if (!video) return;
  if (video !== known) {
    known = video;
    for (const kind of ["timeupdate", "seeking", "loadedmetadata"]) video.addEventListener(kind, mark);
    video.addEventListener("error", cannotPlay);
    document.getElementById("scenes").addEventListener("click", jump);
  }
  if (video.error) cannotPlay();
  mark();
}

/** Begin at the moment that the address names (`#t=4.5`), as a search's find does. */
export function begin() {
  const at = Number(/^#t=([\d.]+)$/.exec(location.hash)?.[1]);
  if (player() && at > 0) player().currentTime = at;
}
