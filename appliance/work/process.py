"""What a helping process asks of the kernel: to end with its parent, and to stand back behind everything else."""

import ctypes
import os
import platform
import resource
import signal
from pathlib import Path

from appliance.device import memory
from appliance.settings import Settings

_PR_SET_PDEATHSIG = 1
NICENESS = 5  # the page goes first; more would starve describing on a busy host, until its deadline
OUT_OF_MEMORY_SCORE = 500  # of 1000: where memory runs out the describing goes first, not the page
KEPT_BACK = 512 << 20  # bytes for the system, the page and the worker
LEAST_MEMORY = 256 << 20  # bytes; with less not even the libraries would load, and no reason could be given
LOWEST_IO = 2 << 13 | 7  # the class "best effort", its last level; "idle" could wait for ever beside long uploads
_IO_WHO_PROCESS = 1
# The numbers of ioprio_set and ioprio_get, for which the C library has no names.
_IO_PRIORITY = {
    "x86_64": (251, 252), "aarch64": (30, 31), "riscv64": (30, 31), "armv7l": (314, 315), "armv6l": (314, 315),
}  # fmt: skip


def end_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process the signal `number` when the thread that started it ends.

    Raises SystemExit where the process `parent` is gone already.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def stand_back() -> None:
    """Lower this process's claim on processor, disk and memory."""
    os.nice(NICENESS)
    set_io_priority(LOWEST_IO)
    try:
        Path("/proc/self/oom_score_adj").write_text(str(OUT_OF_MEMORY_SCORE), encoding="ascii")
    except OSError:  # no /proc, or a container that keeps its own score
        pass


def memory_limit(settings: Settings, root: Path = Path("/")) -> int:
    """Return the bytes that all the processes that describe may take together; 0, no limit, where none can be told.

    A small board or container keeps back what system, page and worker need, and no less than half is given.
    """
    if settings.memory_limit_mb:
        return settings.memory_limit_mb << 20
    total = memory.usable(root)
    return 0 if total is None else max(total // 2, min(total * 3 // 4, total - KEPT_BACK))


def limit_memory(most: int) -> None:
    """Have the kernel refuse this process more than `most` bytes of memory of its own, or LEAST_MEMORY; 0 is no limit.

    What it counts is private memory that can be written to, and neither files that are mapped (a model's weights) nor
    addresses that are only set aside, of which onnxruntime and threads take many.
    """
    if most:
        most = max(most, LEAST_MEMORY)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def set_io_priority(priority: int) -> bool:
    """Set this thread's I/O priority, which its later threads take over; False where it cannot be set here."""
    numbers = _IO_PRIORITY.get(platform.machine())
    return numbers is not None and _call(numbers[0], _IO_WHO_PROCESS, 0, priority) == 0


def io_priority(process: int) -> int | None:
    """Return a process's I/O priority, None where it cannot be read here."""
    numbers = _IO_PRIORITY.get(platform.machine())
    value = -1 if numbers is None else _call(numbers[1], _IO_WHO_PROCESS, process)
    return None if value < 0 else value


def _call(number: int, *arguments: int) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(*map(ctypes.c_long, (number, *arguments)))
    return result
