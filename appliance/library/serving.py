"""Which page serves the library, and since when: tells what a dead page left from an upload that is under way."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.library import disk

FILE = "web.lock"


@contextmanager
def serving(data: Path) -> Iterator[None]:
    """Hold the data folder as a page that takes in uploads; several may, and the kernel lets go for a dead one.

    Where no other page holds it, no older upload can be under way, and `served_since` tells of this moment.
    """
    with disk.usable(data):
        lock = os.open(data / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.utime(lock)
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def served_since(data: Path) -> float:
    """Return the Unix time before which no upload began that may still be under way; 0 where that cannot be told."""
    try:
        since = (data / FILE).stat().st_mtime
    except FileNotFoundError:
        return 0.0
    return since if since <= time.time() else 0.0  # the clock was set back: newer uploads would look older
