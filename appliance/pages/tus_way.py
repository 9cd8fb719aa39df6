"""What this process knows of uploads under way: who sends a piece of which now, and the hash of what has come."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from appliance.library.incoming import sent_already

MOST_HASHES = 64  # of uploads that wait for their next piece; any other is read again at its end

Receive = Callable[[], Awaitable[Any]]
Known = tuple[int, "hashlib._Hash"]


class Way:
    """One request that sends a piece."""

    def __init__(self) -> None:
        self.called_off = asyncio.Event()
        self.over = asyncio.Event()


class Ways:
    """All of them, by the upload's id; for the event loop's thread alone."""

    def __init__(self) -> None:
        self._ways: dict[str, Way] = {}
        self._known: OrderedDict[str, Known] = OrderedDict()

    @contextmanager
    def under_way(self, number: str, receive: Receive) -> Iterator[Receive]:
        """Give what receives the piece in the place of `receive`: it ends early once the piece is called off.

        Raises BusyFileError where another request sends one of the same upload.
        """
        if number in self._ways:
            raise sent_already()
        way = self._ways[number] = Way()

        async def received() -> Any:
            if way.called_off.is_set():
                return {"type": "http.disconnect"}
            message, waiting = asyncio.ensure_future(receive()), asyncio.ensure_future(way.called_off.wait())
            try:
                await asyncio.wait((message, waiting), return_when=asyncio.FIRST_COMPLETED)
                return await message if message.done() else {"type": "http.disconnect"}
            finally:
                message.cancel()
                waiting.cancel()

        try:
            yield received
        finally:
            del self._ways[number]
            way.over.set()

    def has(self, number: str) -> bool:
        """Return whether a request sends a piece of this upload now."""
        return number in self._ways

    async def call_off(self, number: str) -> None:
        """End the request that sends a piece of this upload, and wait until what came of it is on the disk."""
        while (way := self._ways.get(number)) is not None:
            way.called_off.set()
            await way.over.wait()

    def known(self, number: str) -> Known | None:
        """Return the hash of what has come, and of how many bytes it is."""
        return self._known.get(number)

    def remember(self, number: str, known: Known | None) -> None:
        """Keep the hash for the next piece."""
        self._known.pop(number, None)
        if known is not None:
            self._known[number] = known
            while len(self._known) > MOST_HASHES:
                self._known.popitem(last=False)

    def forget(self, number: str) -> None:
        """Drop the hash of an upload that there is no more."""
        self._known.pop(number, None)
