"""What was described lately: by the hour, and by the night."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.library.database import Connection
from appliance.records import Job, Kind


@dataclass(frozen=True, slots=True)
class Hour:
    """What models described in one hour of UTC, `2026-05-03T14`."""

    hour: str
    count: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Night:
    """A nightly batch that began on the local date `night`, and what became of the items it asked for."""

    night: str
    kind: Kind
    asked: int
    described: int
    failed: int


def hours(db: Connection, since: str) -> list[Hour]:
    """Return the hours from `since` (`2026-05-03T14`) on in which something was described, the oldest first."""
    rows = db.execute("SELECT hour, count, milliseconds FROM hours WHERE hour >= ? ORDER BY hour", (since,))
    return [Hour(*row) for row in rows]


def begin_night(db: Connection, night: str, kind: Kind, asked: int) -> int:
    """Note that a batch asks for so many items and return its number; for the inside of the caller's transaction."""
    row = db.execute(
        "INSERT INTO nights (night, kind, asked) VALUES (?, ?, ?) RETURNING id", (night, kind, asked)
    ).fetchone()
    return int(row[0])


def count_for_night(db: Connection, number: int, jobs: Iterable[Job]) -> None:
    """Let what becomes of these jobs, of which descriptions count, be a result of this batch."""
    db.execute(
        "UPDATE jobs SET night = ? WHERE task = 'describe' AND id IN (SELECT value FROM json_each(?))",
        (number, json.dumps([job.id for job in jobs])),
    )


def nights(db: Connection, most: int) -> list[Night]:
    """Return the last batches, the newest first."""
    rows = db.execute("SELECT night, kind, asked, described, failed FROM nights ORDER BY id DESC LIMIT ?", (most,))
    return [Night(row[0], Kind(row[1]), row[2], row[3], row[4]) for row in rows]
