"""Which slot of each scheduled task ran last, so that a slot runs once."""

from datetime import date, timedelta

from appliance.library.database import Connection, transaction

_FAR = timedelta(days=2)  # further ahead than any time zone reaches: a slot run there was run by a clock that was wrong


def claim_slot(db: Connection, name: str, slot: str) -> bool:
    """Return whether the caller may run this slot, an ISO 8601 date, of the task: True once, and not for one before it.

    A slot that ran more than two days ahead of this one counts for nothing.
    """
    with transaction(db):
        db.execute("INSERT INTO schedule_slots (name, last_slot) VALUES (?, '') ON CONFLICT (name) DO NOTHING", (name,))
        changed = db.execute(
            "UPDATE schedule_slots SET last_slot = ? WHERE name = ? AND (last_slot < ? OR last_slot > ?)",
            (slot, name, slot, _too_late_for(slot)),
        )
        return changed.rowcount == 1


def is_over(db: Connection, name: str, slot: str) -> bool:
    """Return whether this slot of the task, or a later one, was claimed; reads only."""
    return (
        db.execute(
            "SELECT 1 FROM schedule_slots WHERE name = ? AND last_slot >= ? AND last_slot <= ?",
            (name, slot, _too_late_for(slot)),
        ).fetchone()
        is not None
    )


def last_slot(db: Connection, name: str) -> str | None:
    """Return the slot of the task that ran last, or None where none did."""
    row = db.execute("SELECT last_slot FROM schedule_slots WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]


def set_slot(db: Connection, name: str, slot: str) -> None:
    """Note this slot as the one that ran last, whichever was noted before; nothing is written where it is."""
    if last_slot(db, name) != slot:
        with transaction(db):
            db.execute("INSERT OR REPLACE INTO schedule_slots (name, last_slot) VALUES (?, ?)", (name, slot))


def _too_late_for(slot: str) -> str:
    return (date.fromisoformat(slot) + _FAR).isoformat()
