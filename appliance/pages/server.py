"""The web server: one process that serves the page until it is told to stop."""

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn

from appliance.device import clock
from appliance.device.listening import home_name, lan_address, listening_socket, open_socket, passed_socket
from appliance.device.notify import notify, watchdog_seconds
from appliance.library import opening
from appliance.library.serving import serving
from appliance.pages.app import create_app
from appliance.pages.box import Box
from appliance.pages.feed import Feed
from appliance.pages.protocol import Protocol
from appliance.pages.stopping import Stoppable
from appliance.pages.watchdog import pet
from appliance.sentences import say
from appliance.settings import Settings

PATIENCE_SECONDS = 5  # for uploads under way when the server is told to stop
LOOK_SECONDS = 1.0
LOOKS_COUNTED = 10  # uvicorn counts tenths of seconds, and does at every tenth what a second is enough for
STOPS = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger(__name__)


def serve(settings: Settings, listens: int | None = None) -> int:
    """Serve the page until SIGINT or SIGTERM and return 0; opening.DAMAGED where the library is to be restored.

    It listens on the descriptor `listens`, else where systemd does for it, else where the settings say. 1 where the
    library was gone for a while, with its disk, and all that was held open is to be opened anew.
    Raises SettingsError where the address cannot be listened on, LibraryError where the library cannot be used.
    """
    handed = passed_socket() if listens is None else open_socket(listens)
    with (
        handed or listening_socket(settings.host, settings.port) as listening,
        opening.opened_once_there_is_room(settings, clock.household_zone(), _wait),
        serving(settings.data),
    ):
        server = Server(settings, listening)
        server.run(sockets=[listening])
    return server.exit_status


def _wait(seconds: float) -> None:
    notify("READY=1")  # a full disk is no reason to be started anew
    notify("WATCHDOG=1")
    time.sleep(seconds)


class Server(uvicorn.Server):
    """uvicorn, ending open event streams when it stops, and telling people and systemd how it stands."""

    def __init__(self, settings: Settings, listening: socket.socket) -> None:
        app = create_app(settings)
        self.app = app
        self._feed: Feed = app.state.feed
        self._box: Box = app.state.box
        self._petting: asyncio.Task[None] | None = None
        self._data = settings.data
        self._looking: asyncio.Task[int | None] | None = None
        self.exit_status = 1
        self._host: str = listening.getsockname()[0]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_to_stop = asyncio.Event()
        self.port: int = listening.getsockname()[1]
        super().__init__(
            uvicorn.Config(
                Stoppable(app, self._box.language),
                http=Protocol,
                loop="asyncio",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=PATIENCE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where, and to systemd that it is so, as often as that asks; elsewhere no task runs."""
        await super().startup(sockets)
        if self.started:
            self.exit_status = 0
            notify("READY=1")
            if (every := watchdog_seconds()) is not None:
                self._petting = asyncio.get_running_loop().create_task(pet(self._box, every))
            for line in addresses(self._host, self.port):
                print(line, flush=True)

    async def main_loop(self) -> None:
        """Wait to be told to stop, with a look a second: uvicorn's ten are most of what a page that rests costs."""
        looks = 0
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(looks * LOOKS_COUNTED):
            looks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._told_to_stop.wait()
        self._loop = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at once, and not at the next look."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told_to_stop.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the listening pages go first: uvicorn waits for every open answer."""
        notify("STOPPING=1")
        if self._petting is not None:
            self._petting.cancel()
        self._feed.close()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Look once a second whether the library is sound and there; return whether to stop."""
        if self._looking is None:
            self._looking = asyncio.create_task(asyncio.to_thread(self._look))  # a dying disk may keep it waiting
        if self._looking is not None and self._looking.done():
            status, self._looking = self._looking.result(), None
            if status is not None:
                self.exit_status = status
                return True
        return await super().on_tick(counter)

    def _look(self) -> int | None:
        """Return the exit status to end with for the library's sake, None where it is well or not to be helped so."""
        if not self._box.presence.is_there():
            return None
        if self._box.presence.was_gone:
            log.warning("the library is there again; the page starts anew")
            return 1
        if self._box.damaged.is_set():
            opening.call_for_restart(self._data)
        if opening.is_called_for(self._data):
            log.critical("the library is damaged; the page ends so that it can be restored")
            return opening.DAMAGED
        return None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; uvicorn's own would raise them again afterwards, and no status be returned."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {stop: signal.signal(stop, self.handle_exit) for stop in STOPS}
        try:
            yield
        finally:
            for stop, handler in before.items():
                signal.signal(stop, handler)


def addresses(host: str, port: int) -> list[str]:
    """Return the lines that say where the page is: on this machine and, where it listens there, on the home network."""
    if not _is_any(host):
        return [say("Shoebox is at {url}", url=_url(host, port))]
    lines: list[str] = [say("Shoebox is at {url}", url=_url("127.0.0.1", port))]
    if (own := lan_address() or home_name()) is not None:
        lines.append(say("From a phone on the same network: {url}", url=_url(own, port)))
    return lines


def _is_any(host: str) -> bool:
    return host in {"", "0.0.0.0", "::"}  # noqa: S104 - asks whether, does not bind


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
