"""Jobs: asked for, claimed, renewed, finished, failed and taken up again."""

from collections.abc import Callable

import pytest

from appliance.errors import NotFoundError
from appliance.library import claims, items, jobs, statuses
from appliance.library.database import Connection
from appliance.records import Facts, Format, Item, Job, JobState, Kind, Priority, Status, Task

NOW = 1000.0
LEASE = 60.0
DESCRIBE, PREPARE = Task.DESCRIBE, Task.PREPARE


@pytest.fixture
def item(db: Connection, add: Callable[..., Item]) -> Item:
    """An item that nobody asked anything for."""
    item = add(b"x", describe=False)
    db.execute("DELETE FROM jobs")
    return item


@pytest.fixture
def job(db: Connection, item: Item) -> Job:
    """A queued description."""
    return jobs.enqueue(db, item.id, DESCRIBE, Priority.UPLOAD, now=NOW)


@pytest.fixture(autouse=True)
def _status_and_jobs_agree(db: Connection) -> object:
    yield
    assert statuses.disagreements(db) == []


def status(db: Connection, item: Item) -> Status:
    return items.get(db, item.id).status


def claim(db: Connection, job: Job, now: float = NOW) -> Job:
    claimed = claims.claim(db, job.id, now=now, lease=LEASE)
    assert claimed is not None
    return claimed


def fail(db: Connection, job: Job, error: str = "It broke.", *, now: float = NOW, permanent: bool = False) -> JobState:
    return claims.fail(db, job, error, now=now, attempts_allowed=3, retry_delay=10, permanent=permanent)


def test_enqueued_job_is_queued_and_due(db: Connection, item: Item, job: Job) -> None:
    assert job == Job(job.id, item.id, DESCRIBE, JobState.QUEUED, Priority.UPLOAD, 0, NOW, NOW)
    assert jobs.get(db, job.id) == job
    assert jobs.get(db, 999) is None
    assert claims.due(db, now=NOW) == [job]
    assert claims.due(db, now=NOW - 1) == []


def test_one_open_job_for_each_item_and_task(db: Connection, item: Item, job: Job) -> None:
    later = jobs.enqueue(db, item.id, DESCRIBE, Priority.NIGHTLY, now=NOW + 5)
    assert later == job
    sooner = jobs.enqueue(db, item.id, DESCRIBE, Priority.PERSON, now=NOW, not_before=NOW - 5)
    assert (sooner.id, sooner.priority, sooner.not_before) == (job.id, Priority.PERSON, NOW - 5)
    assert jobs.enqueue(db, item.id, PREPARE, Priority.PREPARE, now=NOW).id != job.id
    assert len(jobs.open_for(db, item.id)) == 2


def test_asking_again_while_it_runs_changes_nothing_to_be_seen(db: Connection, item: Item, job: Job) -> None:
    claim(db, job)
    assert jobs.enqueue(db, item.id, DESCRIBE, Priority.PERSON, now=NOW).id == job.id
    assert status(db, item) is Status.PROCESSING


def test_job_for_a_missing_item_is_refused(db: Connection) -> None:
    with pytest.raises(NotFoundError):
        jobs.enqueue(db, 99, DESCRIBE, Priority.UPLOAD, now=NOW)
    with pytest.raises(NotFoundError):
        jobs.again(db, 99, Priority.PERSON, now=NOW)


def test_claim_takes_a_job_once(db: Connection, item: Item, job: Job) -> None:
    claimed = claim(db, job)
    assert (claimed.state, claimed.attempts) == (JobState.RUNNING, 1)
    assert (claimed.started_at, claimed.lease_until) == (NOW, NOW + LEASE)
    assert status(db, item) is Status.PROCESSING
    assert claims.claim(db, job.id, now=NOW, lease=LEASE) is None
    assert claims.claim_next(db, now=NOW, lease=LEASE) is None
    assert claims.claim(db, 999, now=NOW, lease=LEASE) is None


def test_claim_waits_until_due(db: Connection, item: Item) -> None:
    job = jobs.enqueue(db, item.id, DESCRIBE, Priority.UPLOAD, now=NOW, not_before=NOW + 10)
    assert claims.claim(db, job.id, now=NOW + 9, lease=LEASE) is None
    assert claims.claim(db, job.id, now=NOW + 10, lease=LEASE) is not None


def test_finish_completes_the_item(db: Connection, item: Item, job: Job) -> None:
    claimed = claim(db, job)
    assert claims.finish(db, claimed, now=NOW + 2)
    done = jobs.get(db, job.id)
    assert done is not None
    assert (done.state, done.finished_at, done.lease_until) == (JobState.DONE, NOW + 2, None)
    assert status(db, item) is Status.COMPLETED
    assert not claims.finish(db, claimed, now=NOW + 3)
    assert jobs.open_for(db, item.id) == []


def test_describing_again_makes_a_new_job(db: Connection, item: Item, job: Job) -> None:
    claims.finish(db, claim(db, job), now=NOW)
    second = jobs.enqueue(db, item.id, DESCRIBE, Priority.AGAIN, now=NOW)
    assert (second.id, second.attempts) == (job.id + 1, 0)
    assert status(db, item) is Status.PENDING


def test_expired_lease_is_taken_over_and_the_late_worker_refused(db: Connection, item: Item, job: Job) -> None:
    late = claim(db, job)
    after = NOW + LEASE
    assert claims.claim(db, job.id, now=after - 0.1, lease=LEASE) is None
    assert [due.id for due in claims.due(db, now=after)] == [job.id]
    second = claims.claim_next(db, now=after, lease=LEASE)
    assert second is not None
    assert (second.id, second.attempts) == (job.id, 2)
    assert not claims.finish(db, late, now=after)
    assert not claims.renew(db, late, now=after, lease=LEASE)
    assert not claims.put_back(db, late, now=after)
    assert fail(db, late, now=after, permanent=True) is JobState.RUNNING
    assert status(db, item) is Status.PROCESSING
    assert claims.finish(db, second, now=after)
    assert fail(db, late, now=after) is JobState.DONE
    assert status(db, item) is Status.COMPLETED


def test_renewed_lease_is_kept(db: Connection, job: Job) -> None:
    claimed = claim(db, job)
    assert claims.renew(db, claimed, now=NOW + 50, lease=LEASE)
    assert claims.claim(db, job.id, now=NOW + LEASE, lease=LEASE) is None
    assert claims.claim(db, job.id, now=NOW + 50 + LEASE, lease=LEASE) is not None


def test_late_worker_may_finish_what_nobody_took_over(db: Connection, item: Item, job: Job) -> None:
    claimed = claim(db, job)
    assert claims.finish(db, claimed, now=NOW + 10 * LEASE)
    assert status(db, item) is Status.COMPLETED


def test_failures_are_retried_with_back_off_and_then_end(db: Connection, item: Item, job: Job) -> None:
    now = NOW
    for wait in (10, 20):
        assert fail(db, claim(db, job, now), "Too dark.", now=now) is JobState.QUEUED
        waiting = jobs.get(db, job.id)
        assert waiting is not None
        assert (waiting.not_before, waiting.error) == (now + wait, "Too dark.")
        assert status(db, item) is Status.PENDING
        assert items.get(db, item.id).error is None
        assert claims.claim(db, job.id, now=now + wait - 1, lease=LEASE) is None
        now += wait
    assert fail(db, claim(db, job, now), "Too dark.", now=now) is JobState.FAILED
    found = items.get(db, item.id)
    assert (found.status, found.error) == (Status.FAILED, "Too dark.")
    assert claims.due(db, now=now + 1e6) == []


def test_permanent_failure_is_not_retried(db: Connection, item: Item, job: Job) -> None:
    assert fail(db, claim(db, job), "No photo.", permanent=True) is JobState.FAILED
    assert status(db, item) is Status.FAILED
    jobs.enqueue(db, item.id, DESCRIBE, Priority.PERSON, now=NOW)
    found = items.get(db, item.id)
    assert (found.status, found.error) == (Status.PENDING, None)


def test_description_waits_for_the_preparation(db: Connection, item: Item, job: Job) -> None:
    prepare = jobs.enqueue(db, item.id, PREPARE, Priority.AGAIN, now=NOW)  # even where it is less urgent
    assert claims.claim(db, job.id, now=NOW, lease=LEASE) is None
    assert [due.task for due in claims.due(db, now=NOW)] == [PREPARE]
    running = claims.claim_next(db, now=NOW, lease=LEASE)
    assert running is not None
    assert running.id == prepare.id
    assert status(db, item) is Status.PENDING
    assert claims.claim(db, job.id, now=NOW, lease=LEASE) is None
    assert claims.finish(db, running, now=NOW)
    assert jobs.open_for(db, item.id) == [job]
    claim(db, job)


def test_failed_preparation_fails_the_item_and_its_description(db: Connection, item: Item, job: Job) -> None:
    prepare = jobs.enqueue(db, item.id, PREPARE, Priority.PREPARE, now=NOW)
    assert fail(db, claim(db, prepare), "It ends too early.") is JobState.QUEUED
    assert status(db, item) is Status.PENDING
    assert fail(db, claim(db, prepare, NOW + 10), "It ends too early.", permanent=True) is JobState.FAILED
    found = items.get(db, item.id)
    assert (found.status, found.error) == (Status.FAILED, "It ends too early.")
    described = jobs.get(db, job.id)
    assert described is not None
    assert (described.state, described.error) == (JobState.FAILED, "It ends too early.")


def test_preparation_that_fails_alone_fails_the_item(db: Connection, item: Item) -> None:
    prepare = jobs.enqueue(db, item.id, PREPARE, Priority.PREPARE, now=NOW)
    fail(db, claim(db, prepare), permanent=True)
    assert status(db, item) is Status.FAILED


def test_preparation_failing_beside_a_running_description_leaves_it_to_that(
    db: Connection, item: Item, job: Job
) -> None:
    running = claim(db, job)
    prepare = jobs.enqueue(db, item.id, PREPARE, Priority.PREPARE, now=NOW)
    fail(db, claim(db, prepare), permanent=True)
    assert status(db, item) is Status.PROCESSING
    assert claims.finish(db, running, now=NOW)


def test_again_prepares_what_never_was(db: Connection, item: Item) -> None:
    asked = jobs.again(db, item.id, Priority.PERSON, now=NOW)
    assert [job.task for job in asked] == [PREPARE, DESCRIBE]
    items.set_facts(db, item.id, Facts(Format(Kind.PHOTO, "image/jpeg", "JPEG"), 4, 3))
    claims.finish(db, claim(db, asked[0]), now=NOW)
    claims.finish(db, claim(db, asked[1]), now=NOW)
    assert [job.task for job in jobs.again(db, item.id, Priority.PERSON, now=NOW)] == [DESCRIBE]


def test_most_urgent_first_then_the_oldest(db: Connection, add: Callable[..., Item]) -> None:
    ids = [add(str(n).encode(), describe=False).id for n in range(5)]
    db.execute("DELETE FROM jobs")
    priorities = (Priority.NIGHTLY, Priority.UPLOAD, Priority.PERSON, Priority.UPLOAD, Priority.AGAIN)
    for item_id, priority in zip(ids, priorities, strict=True):
        jobs.enqueue(db, item_id, DESCRIBE, priority, now=NOW)
    order = [ids[n] for n in (2, 1, 3, 0, 4)]
    assert [job.item_id for job in claims.due(db, now=NOW)] == order
    assert [job.item_id for job in claims.due(db, now=NOW, limit=2)] == order[:2]
    claimed = [claims.claim_next(db, now=NOW, lease=LEASE) for _ in range(6)]
    assert [job and job.item_id for job in claimed] == [*order, None]


def test_put_back_counts_no_attempt(db: Connection, item: Item, job: Job) -> None:
    assert claims.put_back(db, claim(db, job), now=NOW)
    assert jobs.get(db, job.id) == Job(
        job.id, item.id, DESCRIBE, JobState.QUEUED, Priority.UPLOAD, 0, NOW, NOW, started_at=NOW
    )
    assert status(db, item) is Status.PENDING


def test_item_that_stops_its_worker_each_time_is_given_up(db: Connection, item: Item, job: Job) -> None:
    now = NOW
    for _ in range(3):
        assert claims.give_up_expired(db, now=now, attempts_allowed=3) == []
        claim(db, job, now)
        now += LEASE
    [given_up] = claims.give_up_expired(db, now=now, attempts_allowed=3)
    assert (given_up.id, given_up.state, given_up.finished_at) == (job.id, JobState.FAILED, now)
    found = items.get(db, item.id)
    assert found.status is Status.FAILED
    assert found.error is not None
    assert "3 times" in found.error
    assert claims.due(db, now=now) == []
    assert claims.give_up_expired(db, now=now, attempts_allowed=3) == []


def test_running_jobs_are_released_at_the_start_of_the_worker(db: Connection, add: Callable[..., Item]) -> None:
    ids = [add(str(n).encode(), describe=False).id for n in range(3)]
    db.execute("DELETE FROM jobs")
    first, second, third = (jobs.enqueue(db, item_id, DESCRIBE, Priority.UPLOAD, now=NOW) for item_id in ids)
    claim(db, first)
    claim(db, second)
    assert claims.release_running(db, now=NOW + 1, attempts_allowed=3) == 2
    assert [job.id for job in claims.due(db, now=NOW + 1)] == [first.id, second.id, third.id]
    assert items.counts(db)[Status.PENDING] == 3
    assert claim(db, first, NOW + 1).attempts == 2
    assert claims.release_running(db, now=NOW + 2, attempts_allowed=2) == 0
    released = jobs.get(db, first.id)
    assert released is not None
    assert released.state is JobState.FAILED
    assert items.get(db, ids[0]).status is Status.FAILED


def test_jobs_go_with_their_item(db: Connection, item: Item, job: Job) -> None:
    claimed = claim(db, job)
    db.execute("DELETE FROM items")
    assert jobs.get(db, job.id) is None
    assert not claims.finish(db, claimed, now=NOW)
    assert fail(db, claimed) is JobState.FAILED


def test_claims_are_found_by_index(db: Connection) -> None:
    query = f"SELECT id FROM jobs WHERE {claims._CLAIMABLE} ORDER BY priority DESC, id LIMIT 1"  # noqa: S608
    plan = db.execute(f"EXPLAIN QUERY PLAN {query}", {"now": 1, "describing": True}).fetchall()
    details = [row["detail"] for row in plan]
    assert details[0] == "SCAN jobs USING INDEX jobs_urgent"
    assert not any("TEMP B-TREE" in detail for detail in details)


def test_disagreements_are_found(db: Connection, item: Item, job: Job) -> None:
    claimed = claim(db, job)
    db.execute("UPDATE items SET status = 'completed'")
    assert statuses.disagreements(db) == [statuses.Disagreement(item.id, Status.COMPLETED, Status.PROCESSING)]
    claims.finish(db, claimed, now=NOW)


@pytest.mark.parametrize("leap", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_keeps_nothing_new_waiting(db: Connection, add: Callable[..., Item], leap: float) -> None:
    tried, before, after = (add(content, describe=False) for content in (b"1", b"2", b"3"))
    db.execute("DELETE FROM jobs")
    jobs.enqueue(db, tried.id, DESCRIBE, Priority.UPLOAD, now=NOW)
    claimed = claims.claim_next(db, now=NOW, lease=LEASE)
    assert claimed is not None
    claims.fail(db, claimed, "No.", now=NOW, attempts_allowed=3, retry_delay=30)
    jobs.enqueue(db, before.id, DESCRIBE, Priority.UPLOAD, now=NOW)
    jobs.enqueue(db, after.id, DESCRIBE, Priority.UPLOAD, now=NOW + leap)  # the clock is set, and nobody has noticed
    claims.follow_clock(db, leap, now=NOW + leap + 1, lease=LEASE)
    assert [job.item_id for job in claims.due(db, now=NOW + leap + 1)] == [before.id, after.id]
    assert [job.item_id for job in claims.due(db, now=NOW + leap + 30)] == [tried.id, before.id, after.id]
