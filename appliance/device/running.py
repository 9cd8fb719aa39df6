"""Telling a process from a later one that was given the same number, and ending it."""

import os
import signal
from pathlib import Path

from appliance.device.reading import words


def mark(pid: int) -> str:
    """Return what tells this process from a later one of the same number, "" where it is gone.

    One that has ended, and that whoever started it has not asked about yet, is gone.
    """
    told = words(Path(f"/proc/{pid}/stat"))
    boot = words(Path("/proc/sys/kernel/random/boot_id"))
    # The name, the second field, may hold spaces; counted from the end of it the start is the 20th.
    after = [index for index, word in enumerate(told) if word.endswith(")")]
    if not boot or not after or len(told) <= after[-1] + 20 or told[after[-1] + 1] == "Z":
        return ""
    return f"{boot[0]}-{told[after[-1] + 20]}"


def runs(pid: int, marked: str) -> bool:
    """Return whether the process that had this number and mark still runs."""
    return bool(marked) and mark(pid) == marked


def end(pid: int, marked: str) -> bool:
    """Ask the process that had this number and mark to end; return whether there was one."""
    try:
        handle = os.pidfd_open(pid)
    except (OSError, ValueError, OverflowError):
        return False
    try:
        if not runs(pid, marked):
            return False
        signal.pidfd_send_signal(handle, signal.SIGTERM)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True
