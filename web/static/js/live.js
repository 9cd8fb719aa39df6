// What happens on the box, as it happens: one stream of server-sent events a page, closed while nobody looks.
const heard = { item: new Set(), status: new Set(), open: new Set(), away: new Set() };
const seen = new Map();
const KEPT = 2000;
let source = null;
let wait = 1000;
let again = null;
let revision = "";

function tell(kind, value) {
  for (const listener of heard[kind]) listener(value);
}

function connect() {
  clearTimeout(again);
  source?.close();
  // The browser tells by itself how far it had heard, but only as long as it is the same source.
  source = new EventSource(revision ? `/api/v1/events?since=${revision}` : "/api/v1/events");
  source.addEventListener("open", () => {
    wait = 1000;
    tell("open");
  });
  source.addEventListener("item", (event) => {
    const item = JSON.parse(event.data);
    revision = event.lastEventId || revision;
    seen.delete(item.id);
    seen.set(item.id, item);
    if (seen.size > KEPT) seen.delete(seen.keys().next().value);
    tell("item", item);
  });
  source.addEventListener("status", (event) => {
    revision = event.lastEventId || revision;
    tell("status", JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    // The browser comes back by itself after a cut, but not after an answer such as 503.
    if (source?.readyState === EventSource.CLOSED) {
      again = setTimeout(connect, wait);
      wait = Math.min(wait * 2, 15000);
    }
    tell("away");
  });
}

function close() {
  clearTimeout(again);
  source?.close();
  source = null;
}

/** Hear of `item` (its JSON), `status`, `open` (the stream stands: catch up now) or `away` (the box is silent). */
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
