"""What a helping process asks of the kernel: to end with its parent, and to stand back behind everything else."""

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
NICENESS = 5  # the page goes first; more would starve describing on a busy host, until its deadline
OUT_OF_MEMORY_SCORE = 500  # of 1000: where memory runs out the describing goes first, not the page


def end_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process the signal `number` when the thread that started it ends.

    Raises SystemExit where the process `parent` is gone already.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def stand_back() -> None:
    """Lower this process's claim on processor and memory."""
    os.nice(NICENESS)
    try:
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE), encoding="ascii")
    except OSError:  # no /proc, or a container that keeps its own score
        pass
