"""How the server hears HTTP: uvicorn's way, with a sentence for what is not HTTP and an end to endless beginnings."""

import asyncio
import contextlib
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from appliance.sentences import say

HEAD_SECONDS = 20.0  # for the lines before the body, from the first byte to the last; they fit into one packet
LINGER_SECONDS = 2.0


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, telling a request that cannot be read as a problem, and hanging up on one that never ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hanging_up: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._hanging_up = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; between two requests, begin to wait for the next one's end."""
        if not self._refused:
            super().data_received(data)
            self._wait_or_not()

    def _wait_or_not(self) -> None:
        if self._refused:
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        elif self._hanging_up is None and self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._hanging_up = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def send_400_response(self, msg: str) -> None:
        """Say that the request cannot be read; say nothing more where its answer has begun already."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE} or (self.cycle and self.cycle.response_started):
            self.transport.close()
            return
        self._answer(
            400,
            say("The request cannot be understood"),
            say("This is no HTTP request that Shoebox can read."),
            say("Open the page in a browser, or correct the request."),
        )

    def _hang_up(self) -> None:
        self._hanging_up = None
        if self._refused:
            self.transport.close()
            return
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting or self.transport.is_closing():
            return
        begun = bool(self.conn.trailing_data[0])  # browsers open connections ahead, and expect no answer on them
        if begun and self.conn.our_state is h11.IDLE:
            self._answer(
                408, say("Nothing came for too long"), say("The request never came to its end."), say("Send it again.")
            )
        else:
            self.transport.close()

    def _answer(self, status: int, title: str, detail: str, next_step: str) -> None:
        told = {
            "type": "urn:shoebox:bad-request", "title": title, "status": status, "detail": detail,
            "next_step": next_step,
        }  # fmt: skip
        body = json.dumps(told).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True  # the handler that waits for the rest of this request must not answer, too
            self.cycle.message_event.set()
        self._linger()

    def _linger(self) -> None:
        """Say that this was all, but take in what still comes for a moment, unread.

        Closing on bytes that have not been taken in would reset the connection, and the sender might see only that.
        """
        self._refused = True
        self.flow.resume_reading()
        with contextlib.suppress(OSError):  # the sender is gone
            self.transport.write_eof()
        self._wait_no_more()
        self._hanging_up = self.loop.call_later(LINGER_SECONDS, self._hang_up)

    def _wait_no_more(self) -> None:
        if self._hanging_up is not None:
            self._hanging_up.cancel()
            self._hanging_up = None
