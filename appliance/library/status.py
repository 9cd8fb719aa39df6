"""How the library and its queue stand."""

import time
from statistics import median
from typing import Any

from appliance.library import items, pause
from appliance.library.database import Connection
from appliance.records import Kind

_RATE_MINUTES = 15
_LOOKED_BACK = 1000  # descriptions among which the last photos and videos are looked for
_MEASURED = 50  # of each kind, so that another model or a cooler day shows soon
_LEAST_SECONDS = 0.001  # a clock that was set back in between gives less than nothing


def waiting(db: Connection) -> tuple[dict[Kind, int], dict[Kind, int]]:
    """Return, by kind, how many descriptions are asked for and not begun, and how many items are left for the night."""
    # Videos are few and looked at one by one; of the photos sums are enough. A Live Photo's film, which the tally does
    # not count as shown, is a video that waits as any other.
    row = db.execute(
        """
        SELECT
          (SELECT coalesce(sum(count), 0) FROM tally WHERE status = 'pending' AND trashed = 0 AND kind = 'photo')
            AS pending_photos,
          (SELECT count(*) FROM jobs INDEXED BY jobs_asked WHERE state = 'queued' AND task = 'describe') AS asked,
          count(*) AS pending_videos,
          count(CASE WHEN EXISTS (
            SELECT 1 FROM jobs INDEXED BY jobs_asked
            WHERE item_id = items.id AND task = 'describe' AND state = 'queued'
          ) THEN 1 END) AS asked_videos
        FROM items INDEXED BY items_waiting_videos
        WHERE kind = 'video' AND trashed_at IS NULL AND status = 'pending'
        """
    ).fetchone()
    asked = {Kind.PHOTO: row["asked"] - row["asked_videos"], Kind.VIDEO: row["asked_videos"]}
    left = {
        Kind.PHOTO: max(0, row["pending_photos"] - asked[Kind.PHOTO]),
        Kind.VIDEO: row["pending_videos"] - row["asked_videos"],
    }
    return asked, left


def paces(db: Connection) -> dict[Kind, float | None]:
    """Return the median seconds that one photo and one video took of those described last, None where none was."""
    taken: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    rows = db.execute(
        """
        SELECT kind, seconds FROM (
          SELECT item_id, finished_at - started_at AS seconds, finished_at FROM jobs
          WHERE state = 'done' AND task = 'describe' ORDER BY finished_at DESC LIMIT ?
        ) JOIN items ON items.id = item_id ORDER BY finished_at DESC
        """,
        (_LOOKED_BACK,),
    )
    for kind, seconds in rows:
        if len(taken[Kind(kind)]) < _MEASURED:
            taken[Kind(kind)].append(max(seconds, _LEAST_SECONDS))
    return {kind: median(times) if times else None for kind, times in taken.items()}


def under_way(db: Connection) -> list[tuple[int, Kind, float]]:
    """Return the items that are being described: id, kind, and since when in Unix seconds."""
    rows = db.execute(
        "SELECT item_id, kind, started_at FROM jobs JOIN items ON items.id = item_id"
        " WHERE state = 'running' AND task = 'describe' ORDER BY started_at"
    )
    return [(row["item_id"], Kind(row["kind"]), row["started_at"]) for row in rows]


def failures(db: Connection) -> dict[str, int]:
    """Return how many items count as failed now, by the reason of their newest failed job."""
    rows = db.execute(
        """
        SELECT coalesce((
          SELECT reason FROM jobs WHERE item_id = items.id AND state = 'failed' ORDER BY id DESC LIMIT 1
        ), 'other') AS why, count(*) FROM items WHERE status = 'failed' AND trashed_at IS NULL GROUP BY why ORDER BY why
        """
    )
    return dict(rows.fetchall())


def summary(db: Connection, *, now: float | None = None) -> dict[str, Any]:
    """Return `counts` (items by status), `queue` (jobs queued and running, items whose last job failed), and `rate`.

    `failures` are the failed items by reason, `paused` is whether describing is paused.
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
        "failures": failures(db),
    }
