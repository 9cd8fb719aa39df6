"""One worker to a data folder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import LibraryError
from appliance.library import disk

PATIENCE = 0.5  # seconds; who asks whether a worker runs holds the lock for less than a thousandth of one


@contextmanager
def only_worker(data: Path) -> Iterator[None]:
    """Hold the data folder's worker lock, which the kernel drops when this process ends.

    Raises LibraryError where another worker holds it or the folder cannot be used.
    """
    with disk.usable(data):
        lock = os.open(data / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        if not _take(lock):
            raise LibraryError(
                "Another worker works on {data} already.",
                "Stop it first, or give this one another data folder.",
                data=data,
            )
        yield
    finally:
        os.close(lock)


def worker_runs(data: Path) -> bool:
    """Return whether a worker holds the data folder's lock; writes nothing."""
    try:
        lock = os.open(data / "worker.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _take(lock: int) -> bool:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
