"""How far an installation is, in a small file that the page and `shoebox models list` read while it runs.

Imports nothing heavy: the page reads it.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from appliance.device import running
from appliance.sentences import Sentence, kept

_NAME = ".progress.json"
_SECONDS = 1.0  # between two writings


@dataclass(frozen=True, slots=True)
class Installation:
    """The latest installation: of `model`, in `stage` with `done` of `total`; times are Unix seconds.

    `finished` is when it ended, None where it did not, and `error` why it failed, "" where it did not.
    """

    model: str
    stage: str
    done: int
    total: int
    started: float
    updated: float
    pid: int
    process: str
    finished: float | None = None
    error: str = ""

    @property
    def state(self) -> str:
        """One word: running, interrupted (its process is gone), failed or finished."""
        if self.finished is not None:
            return "failed" if self.error else "finished"
        return "running" if running.runs(self.pid, self.process) else "interrupted"

    @property
    def percent(self) -> int:
        """How much of the stage is done."""
        return min(100, 100 * self.done // self.total) if self.total > 0 else 0

    def as_json(self) -> dict[str, Any]:
        """Return what the API tells of it."""
        told = {name: value for name, value in asdict(self).items() if name not in {"pid", "process"}}
        return {**told, "state": self.state, "percent": self.percent}


def read(models: Path) -> Installation | None:
    """Return the latest installation into the folder `models`, None where there was none or nobody can tell."""
    try:
        found = Installation(**json.loads((models / _NAME).read_text(encoding="utf-8")))
        kinds = {str: (found.model, found.stage, found.process, found.error), int: (found.done, found.total, found.pid)}
        times = (found.started, found.updated, 0.0 if found.finished is None else found.finished)
        if any(type(value) is not kind for kind, values in kinds.items() for value in values):
            return None
        if any(type(value) not in {int, float} for value in times):
            return None
        return replace(found, error=Sentence.read(found.error))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


class Recorder:
    """Writes an installation's progress down, at most once a second and only what changed; call it as a Progress.

    `pid` is the process that installs, where it is not this one.
    """

    def __init__(
        self, models: Path, model: str, clock: Callable[[], float] = time.time, *, pid: int | None = None
    ) -> None:
        now, pid = clock(), pid or os.getpid()
        self._path = models / _NAME
        self._clock = clock
        self._now = Installation(model, "start", 0, 0, now, now, pid, running.mark(pid))
        self._write(self._now)

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = self._clock()
        if (stage, done, total) == (self._now.stage, self._now.done, self._now.total):
            return
        # A clock that is set back must not silence it.
        if 0 <= now - self._now.updated < _SECONDS:
            return
        self._write(replace(self._now, stage=stage, done=done, total=total, updated=now))

    def end(self, error: str = "") -> None:
        """Write down that it is over, and why it failed, if it did."""
        now = self._clock()
        self._write(replace(self._now, updated=now, finished=now, error=error))

    def _write(self, record: Installation) -> None:
        self._now = record
        temporary = self._path.with_suffix(".new")
        try:
            temporary.write_text(json.dumps(asdict(record) | {"error": kept(record.error)}), encoding="utf-8")
            temporary.replace(self._path)  # not forced onto the disk: after a power cut it would be old news anyway
        except OSError:
            temporary.unlink(missing_ok=True)  # what is told of an installation must not be what stops it
