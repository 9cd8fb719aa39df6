"""The raw body of an upload: read in pieces without growing, and answered at once where it is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from litestar import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from appliance.pages.errors import CutOffError, RequestError, SilentSenderError
from appliance.sentences import say

FIRST_PIECE = 64 << 10  # enough to tell the format
PIECE = 1 << 20
# Whoever sends less than this in so many seconds is gone, or holds a place and a file on purpose.
PATIENCE_SECONDS = 60.0
LEAST_BYTES = 64 << 10
LINGER_SECONDS = 2.0
Body = TypeVar("Body")


def announced_length(value: str | None) -> int | None:
    """Return the Content-Length in bytes, None where the sender does not know it; raise RequestError for nonsense."""
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        raise RequestError("The Content-Length is not a number of bytes.", "Send the file again.")
    return int(value)


async def pieces(receive: Callable[[], Awaitable[Any]], patience: float | None = None) -> AsyncIterator[bytes]:
    """Yield the body: a first piece of about 64 KiB, then pieces of about 1 MiB.

    Raises CutOffError where the sender goes away, SilentSenderError where fewer than LEAST_BYTES come in `patience`
    seconds (PATIENCE_SECONDS), however they are spread; what had come until then is yielded before.
    """
    patience = PATIENCE_SECONDS if patience is None else patience
    gathered = bytearray()
    wanted = FIRST_PIECE
    since, more = 0, True
    due = _now() + patience
    while more:
        try:
            async with asyncio.timeout_at(due):
                message = await receive()
        except TimeoutError:
            if gathered:
                yield bytes(gathered)
            raise SilentSenderError(
                "Next to nothing of the file came for a minute.", "Send it again where the network is better."
            ) from None
        if message["type"] == "http.disconnect":
            if gathered:
                yield bytes(gathered)
            raise CutOffError("The file was cut off while it was sent.", "Send it again.")
        part = message.get("body", b"")
        gathered += part
        since += len(part)
        more = message.get("more_body", False)
        if since >= LEAST_BYTES:
            since, due = 0, _now() + patience
        if gathered and (not more or len(gathered) >= wanted):
            yield bytes(gathered)
            gathered.clear()
            wanted = PIECE
            due = _now() + patience  # a slow card is not the sender's fault


def _now() -> float:
    return asyncio.get_running_loop().time()


async def whole(request: Request[Any, Any, Any]) -> bytes:
    """Return the body of a small request; raise SilentSenderError where it does not come in PATIENCE_SECONDS."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await request.body()
    except TimeoutError:
        raise SilentSenderError("The request did not come to its end for a minute.", "Send it again.") from None


def read_json(body: bytes, kind: type[Body]) -> Body:
    """Return a JSON body as a `kind` of msgspec's; raise RequestError where it is none."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        told = str(error)[:200] if isinstance(error, msgspec.ValidationError) else say("it is no JSON")
        raise RequestError(
            "The change cannot be understood: {told}.", "See /help/api for what can be sent.", told=told
        ) from None


def form_values(body: bytes, most: int) -> dict[str, list[str]]:
    """Return what a form's fields hold, all of each name; raise RequestError for more than `most`, or no form."""
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise RequestError("The form cannot be read.", "Open the page again and send it from there.") from None


def form_fields(body: bytes, most: int) -> dict[str, str]:
    """Return the last value of each field of a form; raise RequestError for more than `most`, or no form."""
    return {name: values[-1] for name, values in form_values(body, most).items()}


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
