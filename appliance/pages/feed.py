"""What changes in the library, told to every open page: one look at the database serves them all.

While nobody listens there is no task, no connection and no look.
"""

import asyncio
import json
import logging
from typing import Any

from appliance.errors import LibraryError
from appliance.library import database, items, removed
from appliance.library.database import Connection
from appliance.pages.box import Box
from appliance.pages.serialise import items_json, status_json
from appliance.sentences import ENGLISH, Language

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
STATUS_SECONDS = 10.0  # how often the counts are looked at where no item changed: a model may have been installed
MOST_AT_ONCE = 200
LONGEST_QUEUE = 100  # a listener that lies this many events behind is let go; it comes back and catches up


def event(name: str, data: dict[str, Any], number: int | None = None, *, language: Language = ENGLISH) -> bytes:
    """Return one server-sent event; `number` is the revision that a page which saw it has reached."""
    text = f"event: {name}\ndata: {json.dumps(language.over(data))}\n\n"
    return (text if number is None else f"id: {number}\n{text}").encode()


def changes_after(db: Connection, box: Box, since: int) -> dict[str, Any]:
    """Return what changed after the revision `since`: `items`, the ids of those `removed`, the `revision` that reaches.

    MOST_AT_ONCE items at most; it is `complete` unless more was removed meanwhile than is remembered, or the library is
    an older one that was put back.
    """
    until = items.revision(db)  # what comes while this is read is for the next time
    if since > until:
        return {"items": [], "removed": [], "complete": False, "revision": until}
    changed, reached = items.changes_since(db, since, MOST_AT_ONCE, until=until)
    if len(changed) < MOST_AT_ONCE:
        reached = until
    gone = removed.between(db, since, reached)
    told = items_json(db, changed, box.known_models())
    return {"items": told, "removed": gone.ids, "complete": gone.complete, "revision": reached}


class Listener:
    """One open page: the events that it has not been sent yet; None is the end."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def tell(self, events: bytes) -> None:
        """Add events, or let the listener go where it has fallen too far behind."""
        if self.queue.qsize() < LONGEST_QUEUE:
            self.queue.put_nowait(events)
        else:
            self.end()

    def end(self) -> None:
        """Let the listener go, with nothing more to send."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Feed:
    """All open pages and the one task that looks for changes while there are any. Belongs to the event loop."""

    def __init__(self, box: Box, look_seconds: float = LOOK_SECONDS) -> None:
        self._box = box
        self._look_seconds = look_seconds
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def looking(self) -> bool:
        """Whether the database is being looked at."""
        return self._looking is not None and not self._looking.done()

    async def join(self) -> Listener:
        """Add a page; it is told of every change from now on."""
        listener = Listener()
        if self._closed.is_set():
            listener.end()
            return listener
        self._listeners.add(listener)
        if not self.looking:
            self._started.clear()
            self._looking = asyncio.get_running_loop().create_task(self._look())
        await self._started.wait()
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a page; after the last one the looking stops by itself."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """End every page's stream: the server stops."""
        self._closed.set()
        self._let_go()

    async def stop(self) -> None:
        """Close, and wait until the database is let go of."""
        self.close()
        if self._looking is not None:
            await self._looking

    async def catch_up(self, since: int) -> tuple[bytes, int]:
        """Return what changed after the revision `since`, MOST_AT_ONCE items at most, and the revision that reaches."""

        def read() -> tuple[bytes, int]:
            with self._box.library() as db:
                return self._changes(db, since)

        return await asyncio.to_thread(read)

    async def greeting(self) -> bytes:
        """Return how things stand, with the revision to come back with after a break."""

        def read() -> bytes:
            with self._box.library() as db:
                revision = items.revision(db)
                return self._event("status", status_json(db, self._box), revision)

        return await asyncio.to_thread(read)

    async def _look(self) -> None:
        try:
            db, revision = await asyncio.to_thread(self._open)
            self._started.set()
            try:
                with database.explained():
                    await self._tell_changes(db, revision)
            finally:
                db.close()
        except LibraryError as error:
            log.warning("looking for changes failed: %s", error)
            self._let_go()
        except Exception:
            # The pages come back by themselves, and with them a new look.
            log.exception("looking for changes failed")
            self._let_go()
        finally:
            self._started.set()

    def _open(self) -> tuple[Connection, int]:
        with database.explained():
            db = database.connect(self._box.database)
            return db, items.revision(db)

    async def _tell_changes(self, db: Connection, revision: int) -> None:
        told, untold_seconds, newest = b"", 0.0, revision
        while self._listeners:
            # A pause is a change of no item: it shows in the number alone.
            former, newest = newest, await asyncio.to_thread(items.revision, db)
            changes, revision = await asyncio.to_thread(self._changes, db, revision)
            self._tell(changes)
            untold_seconds += self._look_seconds
            if changes or newest != former or untold_seconds >= STATUS_SECONDS:
                untold_seconds = 0.0
                status = await asyncio.to_thread(lambda: self._event("status", status_json(db, self._box)))
                if status != told:
                    told = status
                    self._tell(status)
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._closed.wait()
            except TimeoutError:
                pass

    def _changes(self, db: Connection, since: int) -> tuple[bytes, int]:
        changes = changes_after(db, self._box, since)
        told = [("item", item) for item in changes["items"]]
        if changes["removed"]:
            told.append(("removed", {"ids": changes["removed"]}))
        if not changes["complete"]:
            told.append(("missed", {}))
        # Only the last one carries the revision: whoever is cut off in between is told all of them again.
        events = [self._event(*one) for one in told[:-1]]
        events += [self._event(*one, changes["revision"]) for one in told[-1:]]
        return b"".join(events), changes["revision"]

    def _event(self, name: str, data: dict[str, Any], number: int | None = None) -> bytes:
        return event(name, data, number, language=self._box.language)

    def _tell(self, events: bytes) -> None:
        if events:
            for listener in self._listeners:
                listener.tell(events)

    def _let_go(self) -> None:
        for listener in self._listeners:
            listener.end()
        self._listeners.clear()
