"""How the library and its queue stand."""

import time
from typing import Any

from appliance.library import items, pause
from appliance.library.database import Connection

_RATE_MINUTES = 15


def summary(db: Connection, *, now: float | None = None) -> dict[str, Any]:
    """Return `counts` (items by status), `queue` (jobs queued and running, items whose last job failed), and `rate`.

    `paused` is whether describing is paused.
    `rate` tells of the last `minutes`: how many items were `described`, and the mean `seconds` one took (None if none).
    """
    states = dict(
        db.execute("SELECT state, count(*) FROM jobs WHERE state IN ('queued', 'running') GROUP BY state").fetchall()
    )
    failed = db.execute(
        """
        SELECT count(DISTINCT item_id) FROM jobs AS failed WHERE state = 'failed' AND NOT EXISTS (
          SELECT 1 FROM jobs WHERE item_id = failed.item_id AND task = failed.task AND id > failed.id
        )
        """
    ).fetchone()[0]
    since = (time.time() if now is None else now) - _RATE_MINUTES * 60
    rate = db.execute(
        "SELECT count(*) AS described, avg(finished_at - started_at) AS seconds FROM jobs"
        " WHERE state = 'done' AND task = 'describe' AND finished_at >= ?",
        (since,),
    ).fetchone()
    return {
        "counts": {str(status): count for status, count in items.counts(db).items()},
        "queue": {"queued": states.get("queued", 0), "running": states.get("running", 0), "failed": failed},
        "paused": pause.is_paused(db),
        "rate": {"minutes": _RATE_MINUTES, **dict(rate)},
    }
