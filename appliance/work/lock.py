"""One worker to a data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import LibraryError
from appliance.library import disk


@contextmanager
def only_worker(data: Path) -> Iterator[None]:
    """Hold the data folder's worker lock, which the kernel drops when this process ends.

    Raises LibraryError where another worker holds it or the folder cannot be used.
    """
    with disk.usable(data):
        data.mkdir(parents=True, exist_ok=True)
        lock = os.open(data / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LibraryError(
                f"Another worker works on {data} already.", "Stop it first, or give this one another data folder."
            ) from error
        yield
    finally:
        os.close(lock)
