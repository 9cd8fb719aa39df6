"""The queue's truth: which work is asked for.

A Huey message is only a bell; whoever hears it claims the job (`claims`). An item's status is changed with its jobs, in
the same transaction, and nowhere else (`statuses`). All times are Unix seconds and come from the caller.
"""

from sqlite3 import Row

from appliance.errors import NotFoundError
from appliance.library import statuses
from appliance.library.database import Connection, transaction
from appliance.records import Job, JobState, Kind, Priority, Task
from appliance.sentences import Sentence

OPEN = "state IN ('queued', 'running')"
_UNBEGUN = """
    SELECT jobs.id FROM jobs JOIN items ON items.id = item_id
    WHERE state = 'queued' AND task = 'describe' AND attempts = 0 AND priority = ? AND kind = ? LIMIT ?
"""
_AT_ONCE = 200  # items asked for in one transaction: uploads must not wait long for the library


def get(db: Connection, job_id: int) -> Job | None:
    """Return the job, or None where it is gone with its item."""
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else job_of(row)


def open_for(db: Connection, item_id: int) -> list[Job]:
    """Return the item's queued and running jobs, the most urgent first."""
    rows = db.execute(
        f"SELECT * FROM jobs WHERE item_id = ? AND {OPEN} ORDER BY priority DESC, id",  # noqa: S608
        (item_id,),
    )
    return [job_of(row) for row in rows]


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
            WHERE item_id = ? AND task = ? AND {OPEN} RETURNING *
            """,  # noqa: S608
            (priority, due, item_id, task),
        ).fetchone()
        if row is None:
            row = db.execute(
                "INSERT INTO jobs (item_id, task, priority, queued_at, not_before) VALUES (?, ?, ?, ?, ?) RETURNING *",
                (item_id, task, priority, now, due),
            ).fetchone()
            if task is Task.DESCRIBE:
                statuses.settle(db, item_id)  # one left for the night was pending before, and no longer is left
    return job_of(row)


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
                    again(db, item_id, Priority.RETRY, now=now)
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
            statuses.settle(db, item_id)
        return removed.rowcount == 1


def any_left(db: Connection, kind: Kind, priority: int) -> bool:
    """Return whether `call_off` would find anything."""
    return bool(db.execute(f"SELECT EXISTS ({_UNBEGUN})", (priority, kind, 1)).fetchone()[0])


def call_off(db: Connection, kind: Kind, priority: int) -> int:
    """Call off descriptions of this kind and priority that were never begun, as `cancel` does, and return how many.

    That is so many at once that uploads need not wait long for the library; call it until it returns 0.
    """
    with transaction(db):
        rows = db.execute(
            f"DELETE FROM jobs WHERE id IN ({_UNBEGUN}) RETURNING item_id",  # noqa: S608
            (priority, kind, _AT_ONCE),
        ).fetchall()
        for row in rows:
            statuses.settle(db, row[0])
    return len(rows)


def asked_for(db: Connection, item_ids: list[int]) -> set[int]:
    """Return which items have a description waiting or under way; a pending one without is left for the night."""
    marks = ", ".join("?" * len(item_ids))
    rows = db.execute(
        f"SELECT item_id FROM jobs WHERE task = 'describe' AND {OPEN} AND item_id IN ({marks})",  # noqa: S608
        item_ids,
    )
    return {row[0] for row in rows}


def waiting(db: Connection) -> int:
    """Return how many descriptions are asked for and not begun."""
    row = db.execute("SELECT count(*) FROM jobs WHERE task = 'describe' AND state = 'queued'").fetchone()
    return int(row[0])


def job_of(row: Row) -> Job:
    """Return the job in a row of the table."""
    fields = {name: row[name] for name in Job.__slots__}
    error = None if row["error"] is None else Sentence.read(row["error"])
    return Job(**{**fields, "task": Task(row["task"]), "state": JobState(row["state"]), "error": error})
