"""The library and its queue in numbers, for monitors."""

from dataclasses import dataclass

from appliance.library.database import Connection


@dataclass(frozen=True, slots=True)
class Described:
    """How many of a kind were described, and the seconds that took in all."""

    count: int = 0
    seconds: float = 0.0


def items(db: Connection) -> dict[tuple[str, str], int]:
    """Return the number of items by status and kind, the trash left out."""
    rows = db.execute("SELECT status, kind, count(*) FROM items WHERE trashed_at IS NULL GROUP BY status, kind")
    return {(status, kind): count for status, kind, count in rows}


def open_jobs(db: Connection) -> dict[tuple[str, str], int]:
    """Return the number of jobs that are queued or running by task and state."""
    rows = db.execute(
        "SELECT task, state, count(*) FROM jobs WHERE state IN ('queued', 'running') GROUP BY task, state"
    )
    return {(task, state): count for task, state, count in rows}


def oldest_queued(db: Connection) -> float | None:
    """Return when the job was queued that waits longest, in Unix seconds; None where none waits."""
    found: float | None = db.execute("SELECT min(queued_at) FROM jobs WHERE state = 'queued'").fetchone()[0]
    return found


def described(db: Connection) -> dict[str, Described]:
    """Return what describing took by kind, of all descriptions whose items are still in the library."""
    rows = db.execute(
        """
        SELECT kind, count(*), sum(max(finished_at - started_at, 0.0)) FROM jobs JOIN items ON items.id = item_id
        WHERE state = 'done' AND task = 'describe' GROUP BY kind
        """
    )
    return {kind: Described(count, seconds) for kind, count, seconds in rows}
