"""Page and worker under one parent: `shoebox run`, for a first try and for development."""

import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.device import clock
from appliance.device.listening import listening_socket
from appliance.library import opening
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work import process
from appliance.work.lock import only_worker
from appliance.work.signals import STOPPING, Signals

PATIENCE = 20.0  # seconds the parts may take to end before they are killed
QUICK = 5.0  # a part that ends by itself within so many seconds of its start did not start
LONGEST_PAUSE = 30.0
RESTORED_AT_MOST = 3  # times that the library is opened anew since it was found damaged; its disk is failing then

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """One of the processes: its command line, and how it has fared."""

    name: str
    command: Sequence[str]
    descriptors: Sequence[int] = ()  # that it takes over from here
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_again: float = 0.0
    failures: int = 0  # in a row, of any kind
    refusals: int = 0  # in a row, of ending by itself as soon as it was started


def parts(settings: Settings, listens: int) -> list[Part]:
    """Return the page and the worker as `settings` want them; the file and the environment they read themselves.

    The page listens on the descriptor `listens`: as with systemd's socket, who comes while it starts again waits.
    """
    shoebox = [sys.executable, "-m", "appliance"]
    data = ["--data", str(settings.data)]
    address = ["--host", settings.host, "--port", str(settings.port), "--fd", str(listens)]
    return [Part("web", [*shoebox, "web", *data, *address], [listens]), Part("worker", [*shoebox, "worker", *data])]


def run(settings: Settings) -> int:
    """Run the page and the worker until told to stop; print the address once the page answers.

    A part that dies is started again, after a pause that grows to half a minute. Returns 0 after a signal to stop, else
    the exit status of a part that three times in a row ended as soon as it had started. A library that is found damaged
    is restored with both parts stopped.
    """
    with listening_socket(settings.host, settings.port) as listening:
        chosen = replace(settings, port=listening.getsockname()[1])
        found_damaged = 0
        while found_damaged < RESTORED_AT_MOST:
            # What would stop a part from starting is said once, and before anything is served. The library stays open
            # here: the parts find it looked over.
            with opening.opened_once_there_is_room(chosen, clock.household_zone(), time.sleep):
                with only_worker(chosen.data):
                    pass
                status = supervise(parts(chosen, listening.fileno()), address=_address(chosen))
            if status != opening.DAMAGED:
                break
            found_damaged += not opening.is_going_back(chosen.data)  # which somebody may wish as often as they like
    return status


def supervise(members: list[Part], *, address: str = "") -> int:
    """Keep `members` running until a signal to stop comes, as `run` does; tell of `address` once it answers."""
    told = not address
    with Signals(*STOPPING, signal.SIGCHLD) as signals:
        try:
            while True:
                now = time.monotonic()
                for member in members:
                    status = _look_after(member, now)
                    if status is not None:
                        return status
                if not told and _answers(address):
                    told = True
                    print(say("Shoebox is ready: {address}", address=address), flush=True)
                pauses = [member.start_again - now for member in members if member.process is None]
                if not told:
                    pauses.append(0.2)
                heard = signals.wait(max(0.0, min(pauses)) if pauses else None)
                if heard in STOPPING:
                    return 0
        finally:
            _end(members)


def _look_after(member: Part, now: float) -> int | None:
    """Start `member` where it is due; return its exit status where it is of no use to start it again."""
    if member.process is not None:
        status = member.process.poll()
        if status is None:
            return None
        member.process = None
        if status == opening.DAMAGED:
            return status
        quick = now - member.started < QUICK
        member.failures = member.failures + 1 if quick else 1
        member.refusals = member.refusals + 1 if quick and status >= 0 else 0
        if member.refusals >= 3:
            log.error("%s does not start (status %d)", member.name, status)
            return status or 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (member.failures - 1))
        member.start_again = now + pause
        log.warning("%s ended with status %d; it is started again in %.1f s", member.name, status, pause)
    if now >= member.start_again:
        parent = os.getpid()
        member.process = subprocess.Popen(
            member.command,
            stdin=subprocess.DEVNULL,
            pass_fds=member.descriptors,
            preexec_fn=lambda: process.end_with_parent(parent, signal.SIGTERM),  # this process has one thread
        )
        member.started = now
    return None


def _end(members: list[Part]) -> None:
    running = [member.process for member in members if member.process is not None]
    for one in running:
        one.terminate()
    end = time.monotonic() + PATIENCE
    for one in running:
        try:
            one.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - it is looked up, not bound
    return f"http://[{host}]:{settings.port}/" if ":" in host else f"http://{host}:{settings.port}/"


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}health/live", timeout=2):  # noqa: S310 - our own page
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
