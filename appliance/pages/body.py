"""The raw body of an upload: read in pieces without growing, and answered at once where it is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from appliance.pages.errors import CutOffError, RequestError, SilentSenderError

FIRST_PIECE = 64 << 10  # enough to tell the format
PIECE = 1 << 20
SILENCE_SECONDS = 60.0
LINGER_SECONDS = 2.0


def announced_length(value: str | None) -> int | None:
    """Return the Content-Length in bytes, None where the sender does not know it; raise RequestError for nonsense."""
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        raise RequestError("The Content-Length is not a number of bytes.", "Send the file again.")
    return int(value)


async def pieces(receive: Callable[[], Awaitable[Any]], silence: float = SILENCE_SECONDS) -> AsyncIterator[bytes]:
    """Yield the body: a first piece of about 64 KiB, then pieces of about 1 MiB.

    Raises CutOffError where the sender goes away, SilentSenderError where nothing comes for `silence` seconds.
    """
    gathered = bytearray()
    wanted = FIRST_PIECE
    more = True
    while more:
        try:
            async with asyncio.timeout(silence):
                message = await receive()
        except TimeoutError:
            raise SilentSenderError("Nothing of the file came for a minute.", "Send it again.") from None
        if message["type"] == "http.disconnect":
            raise CutOffError("The file was cut off while it was sent.", "Send it again.")
        gathered += message.get("body", b"")
        more = message.get("more_body", False)
        if gathered and (not more or len(gathered) >= wanted):
            yield bytes(gathered)
            gathered.clear()
            wanted = PIECE


class EarlyAnswer(Response):
    """An answer given while the body is still coming.

    It is complete for the sender at once, but the connection stays open for a moment more: closing it on unread bytes
    would reset it, and many a sender would see only the reset, not the reason.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, take in what still comes for a moment, and end."""

        async def hold_open(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "more_body": True}
            await send(message)

        self.headers["Connection"] = "close"
        await super().__call__(scope, receive, hold_open)
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        break
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
