"""Which slot of each scheduled task ran last, so that a slot runs once."""

from appliance.library.database import Connection, transaction


def claim_slot(db: Connection, name: str, slot: str) -> bool:
    """Return whether the caller may run this slot of the task: True once, and never for an earlier slot after it.

    Slots are compared as text; give them as ISO 8601 (`2024-05-03` or `2024-05-03T02:00`).
    """
    with transaction(db):
        db.execute("INSERT INTO schedule_slots (name, last_slot) VALUES (?, '') ON CONFLICT (name) DO NOTHING", (name,))
        changed = db.execute(
            "UPDATE schedule_slots SET last_slot = ? WHERE name = ? AND last_slot < ?", (slot, name, slot)
        )
        return changed.rowcount == 1


def last_slot(db: Connection, name: str) -> str | None:
    """Return the slot of the task that ran last, or None where none did."""
    row = db.execute("SELECT last_slot FROM schedule_slots WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]


def set_slot(db: Connection, name: str, slot: str) -> None:
    """Note this slot as the one that ran last, whichever was noted before; nothing is written where it is."""
    if last_slot(db, name) != slot:
        with transaction(db):
            db.execute("INSERT OR REPLACE INTO schedule_slots (name, last_slot) VALUES (?, ?)", (name, slot))
