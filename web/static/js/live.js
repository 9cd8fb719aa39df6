// What happens on the box, as it happens: one stream of server-sent events a page, closed while nobody looks. Where no
// stream comes through, as behind some proxies, the page asks every ten seconds.
import { get } from "./api.js";

const POLL_SECONDS = 10;
const POLLS_BEFORE_STREAM = 6; // after so many the stream is tried again
const MOST_FAILURES = 3; // of the stream, one after the other, before the page asks by itself
const heard = { item: new Set(), removed: new Set(), missed: new Set(), status: new Set(), open: new Set(), away: new Set() };
const seen = new Map();
const KEPT = 2000;
let source = null;
let wait = 1000;
let again = null;
let revision = "";
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

/** Ask what changed, now and every POLL_SECONDS, until it is time to try the stream again. */
async function poll(left = POLLS_BEFORE_STREAM) {
  const mine = ++turn;
  let changes = null;
  try {
    changes = await get(`/api/v1/changes${revision ? `?since=${revision}` : ""}`);
  } catch (error) {
    // Signed out, here or from another device: the page asks who is there.
    if (error.status === 401) location.reload();
    // Else the box itself is away: its stream tells soonest when it is back.
  }
  if (mine !== turn) return;
  if (!changes) {
    tell("away");
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
  again = setTimeout(() => (left > 1 ? poll(left - 1) : connect()), portion ? 1000 : POLL_SECONDS * 1000);
}

function connect() {
  turn += 1;
  clearTimeout(again);
  source?.close();
  source = null;
  if (!window.EventSource) return poll();
  // The browser tells by itself how far it had heard, but only as long as it is the same source.
  source = new EventSource(revision ? `/api/v1/events?since=${revision}` : "/api/v1/events");
  source.addEventListener("open", () => {
    wait = 1000;
    failures = 0;
    tell("open");
  });
  source.addEventListener("item", (event) => {
    revision = event.lastEventId || revision;
    hear(JSON.parse(event.data));
  });
  source.addEventListener("removed", (event) => {
    revision = event.lastEventId || revision;
    tell("removed", JSON.parse(event.data).ids);
  });
  source.addEventListener("missed", (event) => {
    revision = event.lastEventId || revision;
    tell("missed");
  });
  source.addEventListener("status", (event) => {
    revision = event.lastEventId || revision;
    tell("status", JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    failures += 1;
    if (failures >= MOST_FAILURES) {
      source?.close();
      source = null;
      poll();
      return;
    }
    // The browser comes back by itself after a cut, but not after an answer such as 503.
    if (source?.readyState === EventSource.CLOSED) {
      again = setTimeout(connect, wait);
      wait = Math.min(wait * 2, 15000);
    }
    tell("away");
  });
}

function close() {
  turn += 1;
  clearTimeout(again);
  source?.close();
  source = null;
}

/**
 * Hear of `item` (its JSON), `removed` (ids of items that are gone for good), `missed` (there was more than can be told:
 * read the list anew), `status`, `open` (the box is heard: catch up now) or `away` (the box is silent).
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

document.addEventListener("visibilitychange", () => {
  if (document.hidden && !hold.background) close();
  else if (!document.hidden && !source) connect();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted && !source) connect();
});
connect();
