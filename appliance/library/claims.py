"""Claims: who is at which job until when, and how it ended.

A claim is a lease: it counts an attempt and runs out unless it is renewed, and then anybody may claim the job again.
The number of the attempt tells claims apart, so that a worker who lost his lease can neither renew, finish nor fail
what somebody else has taken over. All times are Unix seconds and come from the caller.
"""

from appliance.library import pause, statuses
from appliance.library.database import Connection, transaction
from appliance.library.jobs import OPEN, get, job_of
from appliance.records import Job, JobState, Status, Task
from appliance.sentences import Sentence, kept, say

# What may be claimed: queued and due, or running on a lease that ran out; no description before the item is prepared,
# and none while describing is paused or the caller cannot describe.
_CLAIMABLE = f"""
    {OPEN}
    AND ((state = 'queued' AND not_before <= :now) OR (state = 'running' AND lease_until <= :now))
    AND (task = 'prepare' OR :describing AND NOT {pause.STANDS} AND NOT EXISTS (
      SELECT 1 FROM jobs AS first
      WHERE first.item_id = jobs.item_id AND first.task = 'prepare' AND first.state IN ('queued', 'running')
    ))
"""  # noqa: S608
GAVE_UP = "gave-up"  # the reason of a job that stopped its worker each time


def claim(db: Connection, job_id: int, *, now: float, lease: float) -> Job | None:
    """Take the job for `lease` seconds; None where somebody else has it, it is not due, or its item is not prepared."""
    return _claim(db, "id = :job_id", {"job_id": job_id, "now": now, "until": now + lease, "describing": True})


def claim_next(db: Connection, *, now: float, lease: float, describing: bool = True) -> Job | None:
    """Take the most urgent job that is due, the oldest of equals, for `lease` seconds; None where there is none.

    No description where the caller is not `describing`.
    """
    most_urgent = f"id = (SELECT id FROM jobs WHERE {_CLAIMABLE} ORDER BY priority DESC, id LIMIT 1)"  # noqa: S608
    return _claim(db, most_urgent, {"now": now, "until": now + lease, "describing": describing})


def renew(db: Connection, job: Job, *, now: float, lease: float) -> bool:
    """Hold a claimed job for `lease` seconds from now; False where it was lost to somebody else."""
    with transaction(db):
        return _end_claim(db, job, "lease_until = ?", now + lease)


def finish(db: Connection, job: Job, *, now: float) -> bool:
    """Note that a claimed job is done; False where it was lost to somebody else, whose result counts instead.

    Call it in the transaction that saves the result, and undo that transaction where this is False.
    """
    with transaction(db):
        done = _end_claim(
            db, job, "state = 'done', lease_until = NULL, error = NULL, reason = NULL, finished_at = ?", now
        )
        if done and job.task is Task.DESCRIBE:
            statuses.set_status(db, job.item_id, Status.COMPLETED)
    return done


def put_back(db: Connection, job: Job, *, now: float) -> bool:
    """Give a claimed job back untried, as a worker does that is asked to stop; its attempt is not counted."""
    with transaction(db):
        back = _end_claim(db, job, "state = 'queued', lease_until = NULL, attempts = attempts - 1, not_before = ?", now)
        if back and job.task is Task.DESCRIBE:
            statuses.set_status(db, job.item_id, Status.PENDING)
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
    reason: str = "other",
) -> JobState:
    """Note that a claimed job failed, and return its state: queued for another attempt, or failed for good.

    `error` is the sentence for the owner, `reason` the word by which failures are counted (`ShoeboxError.reason`).
    The wait before another attempt is `retry_delay` seconds, doubled with each. A job lost to somebody else is left
    alone. With a failed `prepare` the item's queued description fails too.
    """
    with transaction(db):
        if permanent or job.attempts >= attempts_allowed:
            _fail_for_good(db, job, error, reason, now)
        else:
            later = now + retry_delay * 2.0 ** (job.attempts - 1)
            change = "state = 'queued', lease_until = NULL, error = ?, reason = ?, not_before = ?"
            back = _end_claim(db, job, change, kept(error), reason, later)
            if back and job.task is Task.DESCRIBE:
                statuses.set_status(db, job.item_id, Status.PENDING)
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
                statuses.set_status(db, row["item_id"], Status.PENDING)
        # A back-off is short; one that is not over yet may have been reckoned from a clock that was wrong.
        if db.execute("SELECT 1 FROM jobs WHERE state = 'queued' AND not_before > ?", (now,)).fetchone():
            db.execute("UPDATE jobs SET not_before = ? WHERE state = 'queued' AND not_before > ?", (now, now))
    return len(rows)


def follow_clock(db: Connection, seconds: float, *, now: float, lease: float) -> None:
    """Move every back-off by as much as the clock was set, which is `now` since, and let each lease begin anew.

    What was never tried has no back-off, and may have been asked for when the clock was set already: it is due at once.
    """
    with transaction(db):
        db.execute("UPDATE jobs SET not_before = not_before + ? WHERE state = 'queued' AND attempts > 0", (seconds,))
        db.execute(
            "UPDATE jobs SET not_before = ? WHERE state = 'queued' AND attempts = 0 AND not_before > ?", (now, now)
        )
        db.execute("UPDATE jobs SET lease_until = ? WHERE state = 'running'", (now + lease,))


def due(db: Connection, *, now: float, limit: int = 1000, describing: bool = True) -> list[Job]:
    """Return what may be claimed now, the most urgent first: the jobs for which to ring the bell again.

    No description where nobody is `describing`.
    """
    rows = db.execute(
        f"SELECT * FROM jobs WHERE {_CLAIMABLE} ORDER BY priority DESC, id LIMIT :limit",  # noqa: S608
        {"now": now, "limit": limit, "describing": describing},
    )
    return [job_of(row) for row in rows]


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
            statuses.set_status(db, row["item_id"], Status.PROCESSING)
    return None if row is None else job_of(row)


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
        for job in map(job_of, rows):
            _fail_for_good(db, job, _gave_up(job.attempts), GAVE_UP, now)
        ended = [get(db, row["id"]) for row in rows]
    return [job for job in ended if job is not None]


def _gave_up(times: int) -> Sentence:
    return say(
        "Shoebox stopped each of the {times} times it worked on this. "
        "The file may be damaged: open it, then try again.",
        times=times,
    )


def _fail_for_good(db: Connection, job: Job, error: str, reason: str, now: float) -> None:
    error = kept(error)
    change = "state = 'failed', lease_until = NULL, error = ?, reason = ?, finished_at = ?"
    if not _end_claim(db, job, change, error, reason, now):
        return
    if job.task is Task.PREPARE:
        db.execute(
            f"UPDATE jobs SET {change} WHERE item_id = ? AND task = 'describe' AND state = 'queued'",  # noqa: S608
            (error, reason, now, job.item_id),
        )
        # One that is being written, or was written before its thumbnails were asked for again, decides.
        statuses.settle(db, job.item_id)
    else:
        statuses.set_status(db, job.item_id, Status.FAILED, error)
