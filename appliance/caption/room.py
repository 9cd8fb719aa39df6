"""Whether this process's memory limit leaves room for more threads.

It is asked before onnxruntime starts them: where one finds no room for its stack, onnxruntime waits for it for ever, or
the C library ends the process.
"""

import resource
from pathlib import Path

_STACK = 8 << 20  # bytes; of a thread, where the system does not say
_OVERHEAD = 1 << 20  # bytes a thread for what is kept beside its stack


def room_for(threads: int, status: Path = Path("/proc/self/status")) -> bool:
    """Whether so many threads, this one among them, find room; True where that cannot be told."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    if limit == resource.RLIM_INFINITY:
        return True
    try:
        words = status.read_text(encoding="ascii", errors="replace").split()
        held = int(words[words.index("VmData:") + 1]) << 10
    except (OSError, ValueError, IndexError):
        return True
    each = (_STACK if stack == resource.RLIM_INFINITY else stack) + _OVERHEAD
    return held + (threads - 1) * each <= limit
