// What happens on the box, as it happens: one stream of server-sent events a page, held only while somebody looks. Where
// it fails or falls silent the page asks by itself: once, and then the stream is tried again; where no stream comes
// through, as behind some proxies, every ten seconds.
import { get } from "./api.js";

const POLL_SECONDS = 10;
const POLLS_BEFORE_STREAM = 6; // after so many the stream is tried again
const MOST_FAILURES = 3; // of the stream, one after the other, before the page asks again and again
const BEGIN_SECONDS = 10; // until a stream's first word: a proxy may hold it back
const SILENT_SECONDS = 40; // without a word, of which one comes every 15: nobody tells of a pulled plug
const heard = { item: new Set(), removed: new Set(), missed: new Set(), status: new Set(), open: new Set(), away: new Set() };
const seen = new Map();
const KEPT = 2000;
let source = null;
let wait = 1000;
let again = null;
let silence = null;
let revision = document.body.dataset.revision ?? ""; // how far what is shown has heard
let failures = 0;
let turn = 0; // which connection or question counts: an answer to an older one comes too late

function tell(kind, value) {
  for (const listener of heard[kind]) listener(value);
}

function hear(item) {
  seen.delete(item.id);
  seen.set(item.id, item);
  if (seen.size > KEPT) seen.delete(seen.keys().next().value);
  tell("item", item);
}

/** Ask what changed; then try the stream again, or where it does not come through ask `left` times in all. */
async function poll(left) {
  const mine = ++turn;
  let changes = null;
  let trouble = null;
  try {
    changes = await get(`/api/v1/changes${revision ? `?since=${revision}` : ""}`, POLL_SECONDS);
  } catch (error) {
    // Signed out, here or from another device: the page asks who is there.
    if (error.status === 401) location.reload();
    trouble = error;
  }
  if (mine !== turn) return;
  if (trouble) {
    tell("away", trouble); // its stream tells soonest when it is back
    again = setTimeout(connect, wait);
    wait = Math.min(wait * 2, 15000);
    return;
  }
  wait = 1000;
  const portion = changes.items.length > 0; // there may be another one
  revision = String(changes.revision);
  if (left === POLLS_BEFORE_STREAM) tell("open");
  changes.items.forEach(hear);
  if (changes.removed.length) tell("removed", changes.removed);
  if (!changes.complete) tell("missed");
  tell("status", changes.status);
  const streamless = failures >= MOST_FAILURES;
  again = setTimeout(() => (streamless && left > 1 ? poll(left - 1) : connect()), portion || !streamless ? 1000 : POLL_SECONDS * 1000);
}

/** The stream failed or is silent: the box may be away, or the stream alone. */
function fail() {
  close();
  failures += 1;
  poll(POLLS_BEFORE_STREAM);
}

/** Do with what the stream says next as `listener` does. */
function listen(kind, listener) {
  source.addEventListener(kind, (event) => {
    failures = 0;
    expect(SILENT_SECONDS);
    revision = event.lastEventId || revision;
    listener(JSON.parse(event.data));
  });
}

function expect(seconds) {
  clearTimeout(silence);
  silence = setTimeout(fail, seconds * 1000);
}

function connect() {
  close();
  if (!window.EventSource) {
    failures = MOST_FAILURES;
    return poll(POLLS_BEFORE_STREAM);
  }
  // The browser would come back by itself after some failures, and tell how far it had heard; but not after all.
  source = new EventSource(revision ? `/api/v1/events?since=${revision}` : "/api/v1/events");
  expect(BEGIN_SECONDS);
  source.addEventListener("open", () => {
    wait = 1000;
    tell("open");
  });
  listen("item", hear);
  listen("removed", ({ ids }) => tell("removed", ids));
  listen("missed", () => tell("missed"));
  listen("status", (status) => tell("status", status));
  listen("beat", () => {});
  source.addEventListener("error", fail);
}

function close() {
  turn += 1;
  clearTimeout(again);
  clearTimeout(silence);
  source?.close();
  source = null;
}

/**
 * Hear of `item` (its JSON), `removed` (ids of items that are gone for good), `missed` (there was more than can be told:
 * read the list anew), `status`, `open` (the box is heard: catch up now) or `away` (it is silent, or says that it cannot:
 * a Trouble).
 */
export function on(kind, listener) {
  heard[kind].add(listener);
}

/** The newest that was heard of an item, undefined where nothing was. */
export function latest(id) {
  return seen.get(id);
}

/** Whether the stream is held while the page is in the background, as while files go up. */
export const hold = { background: false };

// A browser has few connections for one box: tabs that nobody looks at would take them from the one that is.
const guest = "guest" in document.body.dataset; // who hears nothing of the library
const wanted = () => !guest && (!document.hidden || hold.background);
const meet = () => wanted() && connect();

document.addEventListener("visibilitychange", () => {
  // What a sleeping device held may be dead without a word: it is met anew.
  if (document.hidden && !hold.background) close();
  else if (!document.hidden) meet();
});
addEventListener("online", meet);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && meet());
meet();
