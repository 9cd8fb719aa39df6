"""The doctor at the page's wish: the record of the last look, its start, in a process of its own that nobody waits for.

The record lies in memory, beside the notes of the last hour: the card does not wear by it.
"""

import os
import time
from pathlib import Path

import msgspec

from appliance import logs
from appliance.device import running
from appliance.library import disk
from appliance.work import detached
from appliance.work.loading import REAL

_RECORD = "checkup.json"
_LOG = "checkup.said"


class Found(msgspec.Struct, frozen=True):
    """One finding as it is kept: `verdict` is ok, note or wrong."""

    about: str
    verdict: str
    text: str
    next_step: str
    mendable: bool


class Checkup(msgspec.Struct, frozen=True):
    """The last look: what was found so far; times are Unix seconds, `finished` None where it did not end.

    `error` is why it could not be done, "" where it could.
    """

    started: float
    repair: bool
    pid: int
    mark: str
    finished: float | None = None
    error: str = ""
    findings: tuple[Found, ...] = ()

    @property
    def state(self) -> str:
        """One word: running, interrupted (its process is gone), failed or finished."""
        if self.finished is not None:
            return "failed" if self.error else "finished"
        return "running" if running.runs(self.pid, self.mark) else "interrupted"


def read(data: Path) -> Checkup | None:
    """Return the last look at the library in `data`, None where there was none since the computer was started."""
    try:
        return msgspec.json.decode((logs.ring_folder(data) / _RECORD).read_bytes(), type=Checkup)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def write(data: Path, checkup: Checkup) -> None:
    """Write down how far a look is."""
    path = logs.ring_folder(data) / _RECORD
    new = path.with_suffix(f".{os.getpid()}")
    new.write_bytes(msgspec.json.encode(checkup))
    new.replace(path)


def start(data: Path, *, repair: bool, loader: str = REAL) -> None:
    """Have everything looked over, and mended with `repair`; where that is under way already, it stays as it is.

    Raises StorageError where it cannot be begun.
    """
    former = read(data)
    if former is not None and former.state == "running":
        return
    folder = logs.ring_folder(data)
    with disk.usable(folder):
        logs.own_folder(folder)
        pid = detached.start("appliance.work.checkup_run", [str(data), loader], folder / _LOG)
        write(data, Checkup(time.time(), repair, pid, running.mark(pid)))  # which the process waits for
