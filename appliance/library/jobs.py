"""The queue's truth: which work is asked for, who is at it and until when, and how it ended.

A Huey message is only a bell; whoever hears it claims the job here. A claim is a lease: it counts an attempt and runs
out unless it is renewed, and then anybody may claim the job again. The number of the attempt tells claims apart, so
that a worker who lost his lease can neither renew, finish nor fail what somebody else has taken over. An item's status
is changed here and nowhere else, in the same transaction as its job.

All times are Unix seconds and come from the caller.
"""

from dataclasses import dataclass
from sqlite3 import Row

from appliance.errors import NotFoundError
from appliance.library import pause
from appliance.library.database import Connection, transaction
from appliance.records import Job, JobState, Priority, Status, Task

_OPEN = "state IN ('queued', 'running')"
# What may be claimed: queued and due, or running on a lease that ran out; no description before the item is prepared,
# and none while describing is paused.
_CLAIMABLE = f"""
    {_OPEN}
    AND ((state = 'queued' AND not_before <= :now) OR (state = 'running' AND lease_until <= :now))
    AND (task = 'prepare' OR NOT {pause.STANDS} AND NOT EXISTS (
      SELECT 1 FROM jobs AS first
      WHERE first.item_id = jobs.item_id AND first.task = 'prepare' AND first.state IN ('queued', 'running')
    ))
"""  # noqa: S608
# The status that follows from an item's newest jobs; the truth is theirs.
_EXPECTED = """
    CASE (SELECT state FROM jobs WHERE item_id = items.id AND task = 'describe' ORDER BY id DESC LIMIT 1)
      WHEN 'queued' THEN 'pending'
      WHEN 'running' THEN 'processing'
      WHEN 'done' THEN 'completed'
      WHEN 'failed' THEN 'failed'
      ELSE iif((SELECT state FROM jobs WHERE item_id = items.id AND task = 'prepare' ORDER BY id DESC LIMIT 1)
               = 'failed', 'failed', 'pending')
    END
"""
_AT_ONCE = 200  # items asked for in one transaction: uploads must not wait long for the library
_GAVE_UP = "Shoebox stopped each of the {} times it worked on this. The file may be damaged: open it, then try again."


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item whose status is not what its jobs say."""

    item_id: int
    status: Status
    expected: Status


def get(db: Connection, job_id: int) -> Job | None:
    """Return the job, or None where it is gone with its item."""
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else _job(row)


def open_for(db: Connection, item_id: int) -> list[Job]:
    """Return the item's queued and running jobs, the most urgent first."""
    rows = db.execute(
        f"SELECT * FROM jobs WHERE item_id = ? AND {_OPEN} ORDER BY priority DESC, id",  # noqa: S608
        (item_id,),
    )
    return [_job(row) for row in rows]


def enqueue(
    db: Connection, item_id: int, task: Task, priority: int, *, now: float, not_before: float | None = None
) -> Job:
    """Ask for work on an item and return its job; an item asked to be described is pending again.

    There is one open job for each item and task at most: an open one is returned, made as urgent and as early as
    asked where it was less so. Raises NotFoundError where the item is gone.
    """
    due = now if not_before is None else not_before
    with transaction(db):
        if db.execute("SELECT 1 FROM items WHERE id = ?", (item_id,)).fetchone() is None:
            raise NotFoundError("This item is not in the library.", "It may have been removed.")
        row = db.execute(
            f"""
            UPDATE jobs SET priority = max(priority, ?), not_before = min(not_before, ?)
            WHERE item_id = ? AND task = ? AND {_OPEN} RETURNING *
            """,  # noqa: S608
            (priority, due, item_id, task),
        ).fetchone()
        if row is None:
            row = db.execute(
                "INSERT INTO jobs (item_id, task, priority, queued_at, not_before) VALUES (?, ?, ?, ?, ?) RETURNING *",
                (item_id, task, priority, now, due),
            ).fetchone()
            if task is Task.DESCRIBE:
                _set_status(db, item_id, Status.PENDING)
    return _job(row)


def again(db: Connection, item_id: int, priority: int, *, now: float) -> list[Job]:
    """Ask for an item to be described, and to be prepared first where it never was; return the open jobs."""
    with transaction(db):
        row = db.execute("SELECT prepared_at IS NULL FROM items WHERE id = ?", (item_id,)).fetchone()
        if row is not None and row[0]:
            enqueue(db, item_id, Task.PREPARE, priority, now=now)
        enqueue(db, item_id, Task.DESCRIBE, priority, now=now)
        return open_for(db, item_id)


def make_thumbnails(db: Connection, item_id: int, *, now: float) -> list[Job]:
    """Ask for an item to be prepared once more and return the job; nothing where that failed the last time."""
    last = db.execute(
        "SELECT state FROM jobs WHERE item_id = ? AND task = 'prepare' ORDER BY id DESC LIMIT 1", (item_id,)
    ).fetchone()
    if last is not None and last["state"] == JobState.FAILED:
        return []
    return [enqueue(db, item_id, Task.PREPARE, Priority.PREPARE, now=now)]


def retry_failed(db: Connection, *, now: float) -> int:
    """Ask again for every item that failed, the trash left out, and return how many.

    They go behind what was just uploaded, so that files which fail once more hold up nobody.
    """
    rows = db.execute("SELECT id FROM items WHERE status = 'failed' AND trashed_at IS NULL ORDER BY id").fetchall()
    failed = [row[0] for row in rows]
    count = 0
    for start in range(0, len(failed), _AT_ONCE):
        with transaction(db):
            for item_id in failed[start : start + _AT_ONCE]:
                if db.execute("SELECT 1 FROM items WHERE id = ? AND status = 'failed'", (item_id,)).fetchone():
                    again(db, item_id, Priority.NIGHTLY, now=now)
                    count += 1
    return count


def cancel(db: Connection, item_id: int) -> bool:
    """Call off an item's waiting description; False where none waits (one that is being written is finished).

    The item is again as it was before it was asked for: completed, failed for its old reason, or, where it never was
    described, pending without a job, which is left for the night. It is prepared all the same.
    """
    with transaction(db):
        removed = db.execute(
            "DELETE FROM jobs WHERE item_id = ? AND task = 'describe' AND state = 'queued'", (item_id,)
        )
        if removed.rowcount:
            _settle(db, item_id)
        return removed.rowcount == 1


def asked_for(db: Connection, item_ids: list[int]) -> set[int]:
    """Return which items have a description waiting or under way; a pending one without is left for the night."""
    marks = ", ".join("?" * len(item_ids))
    rows = db.execute(
        f"SELECT item_id FROM jobs WHERE task = 'describe' AND {_OPEN} AND item_id IN ({marks})",  # noqa: S608
        item_ids,
    )
    return {row[0] for row in rows}


def waiting(db: Connection) -> int:
    """Return how many descriptions are asked for and not begun."""
    row = db.execute("SELECT count(*) FROM jobs WHERE task = 'describe' AND state = 'queued'").fetchone()
    return int(row[0])


def claim(db: Connection, job_id: int, *, now: float, lease: float) -> Job | None:
    """Take the job for `lease` seconds; None where somebody else has it, it is not due, or its item is not prepared."""
    return _claim(db, "id = :job_id", {"job_id": job_id, "now": now, "until": now + lease})


def claim_next(db: Connection, *, now: float, lease: float) -> Job | None:
    """Take the most urgent job that is due, the oldest of equals, for `lease` seconds; None where there is none."""
    most_urgent = f"id = (SELECT id FROM jobs WHERE {_CLAIMABLE} ORDER BY priority DESC, id LIMIT 1)"  # noqa: S608
    return _claim(db, most_urgent, {"now": now, "until": now + lease})


def renew(db: Connection, job: Job, *, now: float, lease: float) -> bool:
    """Hold a claimed job for `lease` seconds from now; False where it was lost to somebody else."""
    with transaction(db):
        return _end_claim(db, job, "lease_until = ?", now + lease)


def finish(db: Connection, job: Job, *, now: float) -> bool:
    """Note that a claimed job is done; False where it was lost to somebody else, whose result counts instead.

    Call it in the transaction that saves the result, and undo that transaction where this is False.
    """
    with transaction(db):
        done = _end_claim(db, job, "state = 'done', lease_until = NULL, error = NULL, finished_at = ?", now)
        if done and job.task is Task.DESCRIBE:
            _set_status(db, job.item_id, Status.COMPLETED)
    return done


def put_back(db: Connection, job: Job, *, now: float) -> bool:
    """Give a claimed job back untried, as a worker does that is asked to stop; its attempt is not counted."""
    with transaction(db):
        back = _end_claim(db, job, "state = 'queued', lease_until = NULL, attempts = attempts - 1, not_before = ?", now)
        if back and job.task is Task.DESCRIBE:
            _set_status(db, job.item_id, Status.PENDING)
    return back


def fail(
    db: Connection,
    job: Job,
    error: str,
    *,
    now: float,
    attempts_allowed: int,
    retry_delay: float,
    permanent: bool = False,
) -> JobState:
    """Note that a claimed job failed, and return its state: queued for another attempt, or failed for good.

    The wait before another attempt is `retry_delay` seconds, doubled with each. A job lost to somebody else is left
    alone. With a failed `prepare` the item's queued description fails too.
    """
    with transaction(db):
        if permanent or job.attempts >= attempts_allowed:
            _fail_for_good(db, job, error, now)
        else:
            later = now + retry_delay * 2.0 ** (job.attempts - 1)
            back = _end_claim(db, job, "state = 'queued', lease_until = NULL, error = ?, not_before = ?", error, later)
            if back and job.task is Task.DESCRIBE:
                _set_status(db, job.item_id, Status.PENDING)
        found = get(db, job.id)
    return JobState.FAILED if found is None else found.state


def give_up_expired(db: Connection, *, now: float, attempts_allowed: int) -> list[Job]:
    """Fail the jobs whose lease ran out on their last attempt: they stopped their worker each time. Return them."""
    return _give_up(db, "lease_until <= ?", now, now=now, attempts_allowed=attempts_allowed)


def release_running(db: Connection, *, now: float, attempts_allowed: int) -> int:
    """Queue every running job at once and return how many; for the start of a box's only worker.

    The attempt counts: a job on its last one has stopped its worker for good and is failed instead.
    """
    with transaction(db):
        _give_up(db, "TRUE", now=now, attempts_allowed=attempts_allowed)
        rows = db.execute(
            "UPDATE jobs SET state = 'queued', lease_until = NULL, not_before = ? WHERE state = 'running'"
            " RETURNING item_id, task",
            (now,),
        ).fetchall()
        for row in rows:
            if row["task"] == Task.DESCRIBE:
                _set_status(db, row["item_id"], Status.PENDING)
    return len(rows)


def due(db: Connection, *, now: float, limit: int = 1000) -> list[Job]:
    """Return what may be claimed now, the most urgent first: the jobs for which to ring the bell again."""
    rows = db.execute(
        f"SELECT * FROM jobs WHERE {_CLAIMABLE} ORDER BY priority DESC, id LIMIT :limit",  # noqa: S608
        {"now": now, "limit": limit},
    )
    return [_job(row) for row in rows]


def disagreements(db: Connection) -> list[Disagreement]:
    """Return the items whose status does not follow from their newest jobs; in a sound library there are none."""
    rows = db.execute(
        f"SELECT id, status, expected FROM (SELECT id, status, {_EXPECTED} AS expected FROM items)"  # noqa: S608
        " WHERE status <> expected ORDER BY id"
    )
    return [Disagreement(row["id"], Status(row["status"]), Status(row["expected"])) for row in rows]


def mend(db: Connection) -> int:
    """Give each item the status that its jobs say, and return how many had another."""
    with transaction(db):
        wrong = disagreements(db)
        for one in wrong:
            _settle(db, one.item_id)
    return len(wrong)


def _claim(db: Connection, which: str, values: dict[str, float]) -> Job | None:
    with transaction(db):
        row = db.execute(
            f"""
            UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_until = :until, started_at = :now
            WHERE {which} AND {_CLAIMABLE} RETURNING *
            """,  # noqa: S608
            values,
        ).fetchone()
        if row is not None and row["task"] == Task.DESCRIBE:
            _set_status(db, row["item_id"], Status.PROCESSING)
    return None if row is None else _job(row)


def _end_claim(db: Connection, job: Job, change: str, *values: object) -> bool:
    changed = db.execute(
        f"UPDATE jobs SET {change} WHERE id = ? AND state = 'running' AND attempts = ?",  # noqa: S608
        (*values, job.id, job.attempts),
    )
    return changed.rowcount == 1


def _give_up(db: Connection, which: str, *values: object, now: float, attempts_allowed: int) -> list[Job]:
    with transaction(db):
        rows = db.execute(
            f"SELECT * FROM jobs WHERE state = 'running' AND {which} AND attempts >= ?",  # noqa: S608
            (*values, attempts_allowed),
        ).fetchall()
        for job in map(_job, rows):
            _fail_for_good(db, job, _GAVE_UP.format(job.attempts), now)
        ended = [get(db, row["id"]) for row in rows]
    return [job for job in ended if job is not None]


def _fail_for_good(db: Connection, job: Job, error: str, now: float) -> None:
    change = "state = 'failed', lease_until = NULL, error = ?, finished_at = ?"
    if not _end_claim(db, job, change, error, now):
        return
    if job.task is Task.PREPARE:
        db.execute(
            f"UPDATE jobs SET {change} WHERE item_id = ? AND task = 'describe' AND state = 'queued'",  # noqa: S608
            (error, now, job.item_id),
        )
        # One that is being written, or was written before its thumbnails were asked for again, decides.
        _settle(db, job.item_id)
    else:
        _set_status(db, job.item_id, Status.FAILED, error)


def _settle(db: Connection, item_id: int) -> None:
    """Give the item the status that its jobs say, and its error; the page hears of it in any case."""
    db.execute(
        f"UPDATE items SET status = {_EXPECTED} WHERE id = ?",  # noqa: S608
        (item_id,),
    )
    db.execute(
        """
        UPDATE items SET error = iif(status = 'failed', (
          SELECT error FROM jobs WHERE item_id = items.id AND state = 'failed' ORDER BY id DESC LIMIT 1
        ), NULL) WHERE id = ?
        """,
        (item_id,),
    )


def _set_status(db: Connection, item_id: int, status: Status, error: str | None = None) -> None:
    db.execute(
        "UPDATE items SET status = ?, error = ? WHERE id = ? AND (status, error) IS NOT (?, ?)",
        (status, error, item_id, status, error),
    )


def _job(row: Row) -> Job:
    fields = {name: row[name] for name in Job.__slots__}
    return Job(**{**fields, "task": Task(row["task"]), "state": JobState(row["state"])})
