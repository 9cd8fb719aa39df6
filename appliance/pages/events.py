"""Live events: `GET /api/v1/events` as server-sent events, `item` for each that changed and `status` for the counts.

`removed` has the ids of items that are gone for good; after `missed` a page reads its list anew. Where there is nothing
to tell, `beat` comes every HEARTBEAT_SECONDS: a page that hears none asks by itself. Where no stream comes through,
`GET /api/v1/changes` answers the same from time to time.

The `id` of an event is the library's revision. A page that comes back with it (`Last-Event-ID`), or that was made at a
known revision (`?since=`), is told what it missed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from starlette.types import Receive, Scope, Send

from appliance.errors import LibraryError
from appliance.library import items
from appliance.pages.auth import admits_still
from appliance.pages.box import Box
from appliance.pages.feed import Feed, changes_after
from appliance.pages.serialise import status_json

HEARTBEAT_SECONDS = 15.0
COME_BACK_MILLISECONDS = 2000

log = logging.getLogger(__name__)

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy before the box must not gather the events up
]


class EventStream:
    """The answer to one page that listens, for as long as it does."""

    def __init__(
        self,
        feed: Feed,
        since: int | None,
        admitted: Callable[[], Awaitable[bool]],
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._feed = feed
        self._admitted = admitted
        self._since = since
        self._heartbeat = heartbeat
        # When it was last asked whether the listener is still admitted.
        self._looked = asyncio.get_running_loop().time()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the page goes away or the server stops."""
        listener = await self._feed.join()

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            listener.end()

        watching = asyncio.get_running_loop().create_task(watch())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._say(send, f"retry: {COME_BACK_MILLISECONDS}\n\n".encode())
            await self._catch_up(send)
            while (events := await self._next(listener.queue)) is not None and await self._is_admitted():
                await self._say(send, events)
        except LibraryError as error:  # the page asks again by itself
            log.warning("an open page is not told of changes: %s", error)
        finally:
            watching.cancel()
            self._feed.leave(listener)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _catch_up(self, send: Send) -> None:
        since = self._since
        while since is not None:
            missed, reached = await self._feed.catch_up(since)
            if missed:
                await self._say(send, missed)
            since = reached if reached > since else None
        await self._say(send, await self._feed.greeting())

    async def _next(self, queue: "asyncio.Queue[bytes | None]") -> bytes | None:
        try:
            async with asyncio.timeout(self._heartbeat):
                return await queue.get()
        except TimeoutError:
            # An event, as scripts are not told of comments; without data they would not be told of it either.
            return b"event: beat\ndata: {}\n\n"

    async def _is_admitted(self) -> bool:
        """Return whether the listener is still signed in, as it was at most a heartbeat ago."""
        now = asyncio.get_running_loop().time()
        if now < self._looked + self._heartbeat:
            return True
        self._looked = now
        return await self._admitted()

    @staticmethod
    async def _say(send: Send, text: bytes) -> None:
        await send({"type": "http.response.body", "body": text, "more_body": True})


@get("/api/v1/changes", sync_to_thread=True)
def changes(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer what changed after the revision `since`, and how the library stands; without it only the latter."""
    since = _revision(str(request.query_params.get("since", "")))
    with box.library() as db:
        told = changes_after(db, box, items.revision(db) if since is None else since)
        return told | {"status": status_json(db, box)}


def _revision(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


@get("/api/v1/events")
async def events(
    request: Request[Any, Any, Any], box: NamedDependency[Box], feed: NamedDependency[Feed]
) -> EventStream:
    """Answer with the stream of changes."""
    seen = request.headers.get("last-event-id") or str(request.query_params.get("since", ""))
    return EventStream(feed, _revision(seen), lambda: admits_still(box, request))
