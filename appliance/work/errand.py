"""Looking a model over at the owner's wish, before it describes or while another one does: its record, start and end.

`verify` checks its files and what it says of the test photos, `try` lets it describe photos of this library beside what
is written of them; nothing in the library changes. One at a time; the work itself is done in `errand_run`, in a process
of its own that the page does not wait for.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from appliance.device import running
from appliance.errors import ModelError
from appliance.library import disk
from appliance.modelstore import installed
from appliance.sentences import Sentence, kept
from appliance.work import detached
from appliance.work.loading import REAL

PHOTOS = 20  # that a model is tried on
_RECORD = ".errand.json"
_LOCK = ".errand.lock"
_LOG = ".errand.log"


class Pair(msgspec.Struct, frozen=True):
    """A photo that a model was tried on: what is written of it, by whom, and what the model says, or why nothing.

    `before_model` is None where a person wrote it.
    """

    item: int
    name: str
    before: str
    before_model: str | None
    before_milliseconds: int | None
    after: str = ""
    milliseconds: int = 0
    error: str = ""


class Errand(msgspec.Struct, frozen=True):
    """The latest errand: `done` of `total` photos; times are Unix seconds.

    `finished` is when it ended, None where it did not, `error` why it failed, "" where it did not. Of `verify`, `good`
    is what came out and `verdict` the sentence about it.
    """

    kind: Literal["verify", "try"]
    model: str
    started: float
    pid: int
    mark: str
    done: int = 0
    total: int = 0
    finished: float | None = None
    error: str = ""
    good: bool | None = None
    verdict: str = ""
    pairs: tuple[Pair, ...] = ()

    @property
    def state(self) -> str:
        """One word: running, interrupted (its process is gone), failed or finished."""
        if self.finished is not None:
            return "failed" if self.error else "finished"
        return "running" if running.runs(self.pid, self.mark) else "interrupted"


def read(models: Path) -> Errand | None:
    """Return the latest errand about a model in the folder `models`, None where there was none or nobody can tell."""
    try:
        found = msgspec.json.decode((models / _RECORD).read_bytes(), type=Errand)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    pairs = tuple(msgspec.structs.replace(pair, error=Sentence.read(pair.error)) for pair in found.pairs)
    error, verdict = Sentence.read(found.error), Sentence.read(found.verdict)
    return msgspec.structs.replace(found, error=error, verdict=verdict, pairs=pairs)


def write(models: Path, errand: Errand) -> None:
    """Write down how far an errand is; not forced onto the disk, since after a power cut it would be old news."""
    new = models / f"{_RECORD}.new"
    new.write_bytes(msgspec.json.encode(errand, enc_hook=kept))
    new.replace(models / _RECORD)


def start(data: Path, kind: Literal["verify", "try"], model: str, *, loader: str = REAL) -> None:
    """Have the model `model` looked over; raise ModelError where it is unusable or another errand is under way."""
    models = data / "models"
    installed.find(models, model)
    with disk.usable(data):
        models.mkdir(exist_ok=True)
    with alone(models, wait=False):
        former = read(models)
        if former is not None and former.state == "running":
            raise _busy()
        arguments = [kind, str(data), model, loader]
        pid = detached.start("appliance.work.errand_run", arguments, models / _LOG)
        with disk.usable(data):
            write(models, Errand(kind, model, time.time(), pid, running.mark(pid)))


def cancel(data: Path) -> bool:
    """End the errand that is under way; return whether there was one. What it found so far stays to be read."""
    found = read(data / "models")
    return found is not None and found.finished is None and running.end(found.pid, found.mark)


@contextmanager
def alone(models: Path, *, wait: bool) -> Iterator[None]:
    """Hold the lock under which one errand at a time is begun and done; raise ModelError where it is held by another.

    The process that does it waits for whoever begins it.
    """
    lock = os.open(models / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise _busy() from error
    finally:
        os.close(lock)


def _busy() -> ModelError:
    return ModelError("Another model is being looked over.", "Wait until that is done, or stop it.")
