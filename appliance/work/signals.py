"""Signals as something to wait for, in the main thread of a process that waits for nothing else."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Within the `with` block the signals named no longer interrupt: they are handed out by `wait`, one by one.

    They pass through the interpreter's wake-up pipe, so that none is lost between two waits, and child processes
    start with the usual handlers.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self._numbers = numbers
        self._former: dict[signal.Signals, Any] = {}
        self._read = self._write = self._former_pipe = -1

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._former_pipe = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in self._numbers:
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup and background shells ignore some on purpose
                self._former[number] = signal.signal(number, _heard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._former_pipe)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float | None = None) -> signal.Signals | None:
        """Return the next signal, None where none came within `seconds`."""
        select.select([self._read], [], [], seconds)
        try:
            return signal.Signals(os.read(self._read, 1)[0])
        except BlockingIOError:
            return None


def _heard(number: int, frame: FrameType | None) -> None:
    """Do nothing: the wake-up pipe has the number already."""
