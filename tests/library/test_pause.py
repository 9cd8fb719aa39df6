"""Describing paused and resumed, called off and asked for again."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.library import claims, database, items, jobs, pause, statuses
from appliance.library.database import Connection
from appliance.records import Item, JobState, Priority, Status, Task

NOW = 1000.0
Add = Callable[..., Item]


@pytest.fixture(autouse=True)
def _status_and_jobs_agree(db: Connection) -> Iterator[None]:
    yield
    assert statuses.disagreements(db) == []


def take(db: Connection, task: Task | None = None) -> jobs.Job:
    job = claims.claim_next(db, now=NOW, lease=60)
    assert job is not None
    assert task in (None, job.task)
    return job


def prepared(db: Connection, add: Add, content: bytes = b"x", *, describe: bool = True) -> Item:
    item = add(content, describe=describe, now=0.0)
    assert claims.finish(db, take(db, Task.PREPARE), now=NOW)
    return item


def described(db: Connection, add: Add) -> Item:
    item = prepared(db, add)
    assert claims.finish(db, take(db, Task.DESCRIBE), now=NOW)
    return item


def failed(db: Connection, add: Add, content: bytes = b"x") -> Item:
    item = prepared(db, add, content)
    state = claims.fail(
        db, take(db, Task.DESCRIBE), "It broke.", now=NOW, attempts_allowed=1, retry_delay=0, permanent=True
    )
    assert state is JobState.FAILED
    return item


def status(db: Connection, item: Item) -> tuple[Status, str | None]:
    found = items.get(db, item.id)
    return found.status, found.error


def test_while_paused_pictures_are_prepared_and_none_is_described(db: Connection, add: Add) -> None:
    assert pause.pause(db)
    item = prepared(db, add)
    assert claims.claim_next(db, now=NOW, lease=60) is None
    (waiting,) = jobs.open_for(db, item.id)
    assert claims.claim(db, waiting.id, now=NOW, lease=60) is None
    assert claims.due(db, now=NOW) == []
    assert status(db, item) == (Status.PENDING, None)
    assert pause.resume(db)
    assert take(db, Task.DESCRIBE).id == waiting.id


def test_a_pause_outlasts_every_connection(path: Path, db: Connection) -> None:
    assert not pause.is_paused(db)
    pause.pause(db)
    with closing(database.connect(path)) as later:
        assert pause.is_paused(later)
        assert pause.resume(later)
    assert not pause.is_paused(db)


def test_pausing_twice_is_harmless_and_told_once(db: Connection) -> None:
    before = items.revision(db)
    assert [pause.pause(db), pause.pause(db)] == [True, False]
    assert items.revision(db) == before + 1
    assert [pause.resume(db), pause.resume(db)] == [True, False]
    assert items.revision(db) == before + 2


def test_what_is_being_described_is_finished_in_a_pause(db: Connection, add: Add) -> None:
    item = prepared(db, add)
    job = take(db, Task.DESCRIBE)
    pause.pause(db)
    assert claims.renew(db, job, now=NOW + 50, lease=60)
    assert claims.finish(db, job, now=NOW + 60)
    assert status(db, item)[0] is Status.COMPLETED


def test_what_a_dead_worker_had_waits_in_a_pause(db: Connection, add: Add) -> None:
    item = prepared(db, add)
    take(db, Task.DESCRIBE)
    pause.pause(db)
    assert claims.claim_next(db, now=NOW + 100, lease=60) is None
    claims.release_running(db, now=NOW + 100, attempts_allowed=3)
    assert status(db, item)[0] is Status.PENDING


def test_a_new_picture_called_off_is_left_for_the_night(db: Connection, add: Add) -> None:
    item = prepared(db, add)
    other = prepared(db, add, b"y", describe=False)
    before = items.revision(db)
    assert jobs.asked_for(db, [item.id, other.id]) == {item.id}
    assert jobs.cancel(db, item.id)
    assert items.revision(db) > before
    assert jobs.asked_for(db, [item.id, other.id]) == set()
    assert claims.claim_next(db, now=NOW, lease=60) is None
    assert status(db, item) == (Status.PENDING, None)
    assert items.waiting(db, item.kind, limit=10) == [item.id, other.id]
    assert not jobs.cancel(db, item.id)


def test_a_new_picture_called_off_is_prepared_all_the_same(db: Connection, add: Add) -> None:
    item = add(b"x", now=0.0)
    assert jobs.cancel(db, item.id)
    assert [job.task for job in jobs.open_for(db, item.id)] == [Task.PREPARE]


def test_a_description_called_off_leaves_the_earlier_one(db: Connection, add: Add) -> None:
    item = described(db, add)
    jobs.enqueue(db, item.id, Task.DESCRIBE, Priority.PERSON, now=NOW)
    assert status(db, item)[0] is Status.PENDING
    assert jobs.cancel(db, item.id)
    assert status(db, item) == (Status.COMPLETED, None)


def test_a_retry_called_off_has_failed_as_before(db: Connection, add: Add) -> None:
    item = failed(db, add)
    jobs.enqueue(db, item.id, Task.DESCRIBE, Priority.PERSON, now=NOW)
    assert jobs.cancel(db, item.id)
    assert status(db, item) == (Status.FAILED, "It broke.")


def test_what_is_being_described_is_not_called_off(db: Connection, add: Add) -> None:
    item = prepared(db, add)
    job = take(db, Task.DESCRIBE)
    assert not jobs.cancel(db, item.id)
    assert status(db, item)[0] is Status.PROCESSING
    assert claims.finish(db, job, now=NOW)


def test_all_failed_are_tried_again_behind_new_ones(db: Connection, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_AT_ONCE", 2)
    broken = [failed(db, add, bytes([number])) for number in range(5)]
    db.execute("UPDATE items SET trashed_at = '2024-05-03T12:00:00Z' WHERE id = ?", (broken.pop().id,))
    done = prepared(db, add, b"done", describe=False)
    new = prepared(db, add, b"new")
    assert jobs.retry_failed(db, now=NOW) == 4
    assert [status(db, item) for item in broken] == [(Status.PENDING, None)] * 4
    assert jobs.asked_for(db, [done.id]) == set()
    assert take(db).item_id == new.id
    db.execute("UPDATE jobs SET not_before = 0")
    assert jobs.retry_failed(db, now=NOW) == 0


def test_thumbnails_that_cannot_be_made_again_do_not_undo_a_description(db: Connection, add: Add) -> None:
    item = described(db, add)
    jobs.enqueue(db, item.id, Task.PREPARE, Priority.NIGHTLY, now=NOW)
    claims.fail(db, take(db), "It is gone.", now=NOW, attempts_allowed=1, retry_delay=0, permanent=True)
    assert status(db, item) == (Status.COMPLETED, None)


def test_statuses_that_are_wrong_are_mended(db: Connection, add: Add) -> None:
    done, broken = described(db, add), failed(db, add, b"y")
    waiting, working = prepared(db, add, b"z"), prepared(db, add, b"w")
    claims.claim(db, jobs.open_for(db, working.id)[0].id, now=NOW, lease=60)
    left = prepared(db, add, b"v", describe=False)
    for item, wrong in ((done, "failed"), (broken, "pending"), (waiting, "completed"), (working, "pending")):
        db.execute("UPDATE items SET status = ?, error = 'wrong' WHERE id = ?", (wrong, item.id))
    assert len(statuses.disagreements(db)) == 4
    assert statuses.mend(db) == 4
    assert [status(db, item) for item in (done, broken, waiting, working, left)] == [
        (Status.COMPLETED, None),
        (Status.FAILED, "It broke."),
        (Status.PENDING, None),
        (Status.PROCESSING, None),
        (Status.PENDING, None),
    ]
    assert statuses.mend(db) == 0


def test_who_cannot_describe_prepares_pictures_all_the_same(db: Connection, add: Add) -> None:
    first = prepared(db, add)
    (waiting,) = jobs.open_for(db, first.id)
    add(b"y", now=0.0)
    job = claims.claim_next(db, now=NOW, lease=60, describing=False)
    assert job is not None
    assert job.task is Task.PREPARE
    assert claims.due(db, now=NOW, describing=False) == []
    assert claims.claim_next(db, now=NOW, lease=60, describing=False) is None
    assert [due.id for due in claims.due(db, now=NOW)] == [waiting.id]
