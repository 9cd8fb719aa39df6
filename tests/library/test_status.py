"""The summary that the status page shows."""

from collections.abc import Callable

from appliance.library import claims, jobs, status
from appliance.library.database import Connection
from appliance.records import Format, Item, Kind, Task


def test_empty_library(db: Connection) -> None:
    assert status.summary(db) == {
        "counts": {"pending": 0, "processing": 0, "completed": 0, "failed": 0},
        "queue": {"queued": 0, "running": 0, "failed": 0},
        "paused": False,
        "rate": {"minutes": 15, "described": 0, "seconds": None},
        "failures": {},
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
    claims.fail(db, broken, "It broke.", reason="damaged", now=2007.0, attempts_allowed=1, retry_delay=1.0)
    claim(2007.0)
    assert status.summary(db, now=2010.0) == {
        "counts": {"pending": 0, "processing": 1, "completed": 3, "failed": 1},
        "queue": {"queued": 0, "running": 1, "failed": 1},
        "paused": False,
        "rate": {"minutes": 15, "described": 2, "seconds": 3.0},
        "failures": {"damaged": 1},
    }
    jobs.enqueue(db, broken.item_id, Task.DESCRIBE, 0, now=2010.0)
    again = status.summary(db, now=2010.0)
    assert (again["queue"], again["failures"]) == ({"queued": 1, "running": 1, "failed": 0}, {})


def test_what_waits_is_asked_for_or_left_for_the_night(db: Connection, add: Callable[..., Item]) -> None:
    film = Format(Kind.VIDEO, "video/mp4", "MP4")
    add(b"1")
    add(b"2", describe=False)
    add(b"3", describe=False)
    add(b"4", format=film)
    add(b"5", format=film, describe=False)
    assert status.waiting(db) == ({Kind.PHOTO: 1, Kind.VIDEO: 1}, {Kind.PHOTO: 2, Kind.VIDEO: 1})


def test_the_pace_is_the_median_of_the_last_of_each_kind(db: Connection, add: Callable[..., Item]) -> None:
    assert status.paces(db) == {Kind.PHOTO: None, Kind.VIDEO: None}
    for n, seconds in enumerate([900.0] * 60 + [1.0] * 20 + [3.0] * 20 + [100.0] * 10):
        add(str(n).encode(), now=0.0)
        done = (1000.0 * n, 1000.0 * n + seconds, n + 1)
        db.execute("UPDATE jobs SET state = 'done', started_at = ?, finished_at = ? WHERE item_id = ?", done)
    assert status.paces(db) == {Kind.PHOTO: 3.0, Kind.VIDEO: None}


def test_what_is_being_described(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"1", now=0.0)
    db.execute("DELETE FROM jobs WHERE task = 'prepare'")
    claims.claim_next(db, now=100.0, lease=60.0)
    assert status.under_way(db) == [(item.id, Kind.PHOTO, 100.0)]
