// The page for adding: files in, two at a time on their way, each row true to what the box says of it.
import { get } from "./api.js";
import { forgetHalf, half, keyOf } from "./half.js";
import { hold, on } from "./live.js";
import { Row } from "./row.js";
import { SAY } from "./sentences.js";
import { left, size } from "./words.js";

const AT_ONCE = 2;
const list = document.getElementById("list");
const summary = document.getElementById("summary");
const pace = document.getElementById("pace");
const clear = document.getElementById("clear");
const limit = Number(document.getElementById("add").dataset.limit);
const rows = [];

const at = (...states) => rows.filter((row) => states.includes(row.state));

function next() {
  while (at("sending").length < AT_ONCE) {
    const row = at("queued")[0];
    if (!row) break;
    row.send().then(next);
  }
  tell();
}

/** One sentence on the whole, renewed at most twice a second. */
let told = null;
function tell() {
  told ??= setTimeout(() => {
    told = null;
    const open = at("queued", "sending").length;
    const written = at("completed").length;
    const waits = at("pending", "processing").length;
    const known = at("duplicate").length;
    const sorry = at("refused", "failed").length;
    const parts = [];
    if (open) parts.push(SAY.sendingOf(rows.length - open + 1, rows.length, paused));
    else parts.push(sorry && sorry === rows.length ? SAY.nothingAdded : SAY.allSent);
    if (waits) parts.push(SAY.beingDescribed(waits));
    else if (written) parts.push(SAY.described(written));
    if (known && known === rows.length) parts.splice(0, 1, SAY.allHere);
    else if (known) parts.push(SAY.someHere(known));
    if (sorry) parts.push(SAY.needALook(sorry));
    const sentence = rows.length ? `${parts.join(" · ")}.` : "";
    if (summary.textContent !== sentence) summary.textContent = sentence;
    pace.textContent = open ? going() : "";
    pause.hidden = !open;
    clear.hidden = !rows.some((row) => row.over);
    document.getElementById("going").hidden = !rows.length;
    document.getElementById("pick").classList.toggle("more", rows.length > 0);
    hold.background = open > 0;
  }, 100);
}

/** How fast it goes and how long all of it takes; not read aloud, as it changes all the time. */
function going() {
  const speed = at("sending").reduce((sum, row) => sum + row.speed, 0);
  const rest = at("queued", "sending").reduce((sum, row) => sum + row.file.size - row.sent, 0);
  return speed && !paused ? `${size(Math.round(speed))}/s · ${left(rest / speed)}` : "";
}

const pause = document.getElementById("pause");
let paused = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.querySelector("use").setAttribute("href", pause.querySelector("use").getAttribute("href").replace(/#.*/, paused ? "#play" : "#pause"));
  pause.querySelector("span").textContent = paused ? SAY.goOn : SAY.pause;
  for (const row of at("queued", "sending")) row.pause(paused);
  tell();
});

const halfSent = document.getElementById("half");
function tellHalf() {
  const names = half();
  halfSent.hidden = !names.length;
  document.getElementById("half-said").textContent = SAY.inPart(names.slice(0, 3).join(", "), Math.max(0, names.length - 3));
}
document.getElementById("half-forget").addEventListener("click", () => {
  forgetHalf();
  tellHalf();
  document.getElementById("main").focus();
});
tellHalf();

function add(files) {
  halfSent.hidden = true;
  for (const file of files) {
    if (at("queued", "sending").some((row) => keyOf(row.file) === keyOf(file))) continue; // it is on its way
    const row = new Row(file, limit, { changed: tell, again: next, gone });
    row.pause(paused);
    rows.push(row);
    list.append(row.node);
  }
  next();
}

function gone(row) {
  row.node.remove();
  rows.splice(rows.indexOf(row), 1);
  next();
}

clear.addEventListener("click", () => rows.filter((row) => row.over).forEach(gone));

const chooser = document.getElementById("files");
chooser.addEventListener("change", () => {
  add(chooser.files);
  chooser.value = "";
});

on("item", (item) => rows.forEach((row) => row.hear(item)));
on("open", async () => {
  for (const row of at("pending", "processing")) {
    try {
      row.hear(await get(`/api/v1/items/${row.item.id}`));
    } catch {
      return; // the box went away again: the next "open" tries anew
    }
  }
});

addEventListener("beforeunload", (event) => {
  if (at("queued", "sending").length) event.preventDefault();
});

// Anywhere on the page is the right place to let go.
const letting = document.getElementById("letting");
let depth = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (event) => {
  if (carriesFiles(event)) letting.hidden = ++depth < 1;
});
addEventListener("dragleave", (event) => {
  if (carriesFiles(event)) letting.hidden = --depth < 1;
});
addEventListener("drop", async (event) => {
  depth = 0;
  letting.hidden = true;
  add(await dropped(event.dataTransfer));
});

/** The files let go of, those inside folders too. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return transfer.files;
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return (await Promise.all(found.map(filesOf))).flat().filter((file) => !file.name.startsWith("."));
    found.push(...some);
  }
}
