"""What was described lately: by the hour, and by the night."""

from dataclasses import dataclass

from appliance.library.database import Connection
from appliance.records import Kind


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


def begin_night(db: Connection, night: str, kind: Kind, asked: int) -> None:
    """Note that a batch has asked for so many items; meant for the inside of the caller's transaction."""
    db.execute("INSERT INTO nights (night, kind, asked) VALUES (?, ?, ?)", (night, kind, asked))


def nights(db: Connection, most: int) -> list[Night]:
    """Return the last batches, the newest first."""
    rows = db.execute("SELECT night, kind, asked, described, failed FROM nights ORDER BY id DESC LIMIT ?", (most,))
    return [Night(row[0], Kind(row[1]), row[2], row[3], row[4]) for row in rows]
