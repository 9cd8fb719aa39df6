"""How the box is, for monitors: alive, and ready to take photos in."""

import os
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from appliance.errors import LibraryError, StorageFullError
from appliance.library import items
from appliance.pages import notices
from appliance.pages.box import Box
from appliance.work.lock import worker_runs

LEAST_FREE_BYTES = 1 << 20


@get("/health/live", sync_to_thread=False)
def live() -> dict[str, str]:
    """Answer that the page's process runs."""
    return {"status": "ok"}


@get("/health/ready", sync_to_thread=True)
def ready(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer 200 where uploads can be taken in, else 503, or 507 for a full disk, and the reason.

    A worker that does not run is told, and is no reason against: what is sent waits for it.
    """
    with box.library() as db:
        items.counts(db)
        standing = [notice.name for notice in notices.standing(db, box)]
    check_writable(box)
    return {"status": "ok", "worker": worker_runs(box.settings.data), "notices": standing}


def check_writable(box: Box) -> None:
    """Raise LibraryError where the data folder cannot be written to; writes nothing itself, to spare the card."""
    data = box.settings.data
    disk = os.statvfs(data)
    if disk.f_flag & os.ST_RDONLY or not os.access(data, os.W_OK):
        raise LibraryError("The data folder cannot be written to.", "Check the card or disk; it may be wearing out.")
    if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES:
        raise StorageFullError("The card or disk is full.", "Make room; Shoebox then goes on by itself.")
