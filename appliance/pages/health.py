"""How the box is, for monitors: alive, and ready to take photos in."""

from typing import Any

from litestar import route
from litestar.di import NamedDependency

from appliance.library import items
from appliance.pages import notices
from appliance.pages.access import OPEN
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.work.lock import worker_runs


@route("/health/live", http_method=GET, opt=OPEN, sync_to_thread=False)  # type: ignore[arg-type]
def live() -> dict[str, str]:
    """Answer that the page's process runs."""
    return {"status": "ok"}


@route("/health/ready", http_method=GET, opt=OPEN, sync_to_thread=True)  # type: ignore[arg-type]
def ready(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer 200 where uploads can be taken in, else 503, or 507 for a full disk, and the reason; writes nothing.

    A worker that does not run is told, and is no reason against: what is sent waits for it.
    """
    with box.library() as db:
        items.counts(db)
        standing = [notice.name for notice in notices.standing(db, box)]
    box.store.check()
    return {"status": "ok", "worker": worker_runs(box.settings.data), "notices": standing}
