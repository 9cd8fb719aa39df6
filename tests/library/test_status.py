"""The summary that the status page shows."""

from collections.abc import Callable

from appliance.library import claims, jobs, status
from appliance.library.database import Connection
from appliance.records import Item, Task


def test_empty_library(db: Connection) -> None:
    assert status.summary(db) == {
        "counts": {"pending": 0, "processing": 0, "completed": 0, "failed": 0},
        "queue": {"queued": 0, "running": 0, "failed": 0},
        "paused": False,
        "rate": {"minutes": 15, "described": 0, "seconds": None},
    }


def test_library_at_work(db: Connection, add: Callable[..., Item]) -> None:
    for n in range(5):
        add(str(n).encode(), now=0.0)
    db.execute("DELETE FROM jobs WHERE task = 'prepare'")

    def claim(now: float) -> jobs.Job:
        job = claims.claim_next(db, now=now, lease=60.0)
        assert job is not None
        return job

    claims.finish(db, claim(100.0), now=150.0)  # too long ago to count
    claims.finish(db, claim(2000.0), now=2002.0)
    claims.finish(db, claim(2002.0), now=2006.0)
    broken = claim(2006.0)
    claims.fail(db, broken, "It broke.", now=2007.0, attempts_allowed=1, retry_delay=1.0)
    claim(2007.0)
    assert status.summary(db, now=2010.0) == {
        "counts": {"pending": 0, "processing": 1, "completed": 3, "failed": 1},
        "queue": {"queued": 0, "running": 1, "failed": 1},
        "paused": False,
        "rate": {"minutes": 15, "described": 2, "seconds": 3.0},
    }
    jobs.enqueue(db, broken.item_id, Task.DESCRIBE, 0, now=2010.0)
    assert status.summary(db, now=2010.0)["queue"] == {"queued": 1, "running": 1, "failed": 0}
