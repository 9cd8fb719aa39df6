"""One claimed job, done in this process with the shared child: results, leases, and what counts as an attempt."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import NotFoundError, StorageError, StorageFullError
from appliance.library import claims, descriptions, jobs
from appliance.records import Facts, JobState, Priority, Status, Task
from appliance.work import steps
from appliance.work.child import Child

Box = Any


def claimed(box: Box, task: Task) -> Any:
    job = claims.claim_next(box.db, now=2e9, lease=60)
    assert job is not None
    assert job.task is task
    return job


def run(box: Box, child: Any, job: Any, **more: Any) -> None:
    steps.run_job(box.db, box.store, child, box.settings, job, clock=lambda: 2e9, **more)


def test_prepare_then_describe(box: Box, child: Child) -> None:
    item = box.upload("red")
    run(box, child, claimed(box, Task.PREPARE))
    assert box.item(item).width == 48
    run(box, child, claimed(box, Task.DESCRIBE))
    assert box.item(item).status is Status.COMPLETED


def test_a_damaged_file_fails_at_once_and_for_good(box: Box, child: Child) -> None:
    item = box.upload("red")
    box.store.original(item.path).write_bytes(box.store.original(item.path).read_bytes()[:60])
    run(box, child, claimed(box, Task.PREPARE))
    failed = box.item(item)
    assert failed.status is Status.FAILED
    assert failed.error
    assert jobs.open_for(box.db, item.id) == []


def test_a_missing_original_is_tried_again(box: Box, child: Child) -> None:
    item = box.upload("red")
    box.store.original(item.path).unlink()
    run(box, child, claimed(box, Task.PREPARE))
    job = jobs.open_for(box.db, item.id)[0]
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    assert "is missing" in str(job.error)


def test_a_result_whose_lease_was_lost_is_dropped(box: Box, child: Child) -> None:
    item = box.upload("red")
    run(box, child, claimed(box, Task.PREPARE))
    job = claimed(box, Task.DESCRIBE)
    taken_over = claims.claim(box.db, job.id, now=3e9, lease=60)
    assert taken_over is not None
    run(box, child, job)
    assert descriptions.current(box.db, item.id) is None
    assert jobs.get(box.db, job.id) == taken_over
    run(box, child, taken_over)
    assert box.item(item).status is Status.COMPLETED


class Watch:
    """Stands for a child that works long: calls `alive` as the real one does, then does what it is told to."""

    def __init__(self, rounds: int, end: Callable[[], Facts]) -> None:
        self.rounds, self.end = rounds, end

    def prepare(self, path: Path, kind: Any, folder: Path, *, settings: Any, alive: Callable[[], None]) -> Facts:
        for _ in range(self.rounds):
            alive()
        return self.end()


def full() -> Facts:
    raise StorageFullError("The card or disk is full.")


def test_the_lease_is_renewed_while_the_child_works(box: Box) -> None:
    box.upload("red")
    job = claimed(box, Task.PREPARE)
    times = iter([2e9 + 10 * step for step in range(100)])
    leases: list[float] = []

    def beat() -> None:
        found = jobs.get(box.db, job.id)
        leases.append(found.lease_until if found and found.lease_until else 0)

    with pytest.raises(StorageFullError):
        steps.run_job(box.db, box.store, Watch(12, full), box.settings, job, clock=lambda: next(times), alive=beat)
    assert leases[0] == 2e9 + 60
    assert leases[-1] >= 2e9 + 120
    assert len(set(leases)) < len(leases)  # not at every beat: each renewal is a write


def test_a_lease_lost_in_mid_work_ends_the_work(box: Box) -> None:
    box.upload("red")
    job = claimed(box, Task.PREPARE)
    claims.claim(box.db, job.id, now=3e9, lease=60)
    times = iter([2e9 + 30 * step for step in range(100)])
    steps.run_job(box.db, box.store, Watch(50, full), box.settings, job, clock=lambda: next(times))
    assert next(times) < 2e9 + 300


def test_a_full_disk_costs_no_attempt(box: Box) -> None:
    item = box.upload("red")
    with pytest.raises(StorageFullError):
        run(box, Watch(0, full), claimed(box, Task.PREPARE))
    job = jobs.open_for(box.db, item.id)[0]
    assert (job.state, job.error) == (JobState.RUNNING, None)
    assert claims.put_back(box.db, job, now=2e9)  # what the worker does as soon as it can
    job = jobs.open_for(box.db, item.id)[0]
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


@pytest.mark.parametrize("error", [NotFoundError("It is missing."), ZeroDivisionError()])
def test_nothing_is_blamed_on_an_item_while_the_disk_is_gone(box: Box, error: Exception) -> None:
    def fail() -> Facts:
        raise error

    item = box.upload("red")
    job = claimed(box, Task.PREPARE)
    away = box.settings.data.with_name("away")
    box.settings.data.rename(away)
    with pytest.raises(StorageError, match="is gone"):
        run(box, Watch(0, fail), job)
    away.rename(box.settings.data)
    assert jobs.get(box.db, job.id) == job
    assert box.item(item).status is Status.PENDING


def test_a_mistake_of_ours_fails_the_item_plainly(box: Box) -> None:
    item = box.upload("red")
    job = claimed(box, Task.PREPARE)
    steps.run_job(
        box.db, box.store, Watch(0, lambda: 1 // 0), replace(box.settings, attempts=1), job, clock=lambda: 2e9
    )
    assert box.item(item).status is Status.FAILED
    assert "made a mistake" in box.item(item).error
    assert Priority.PREPARE == job.priority
