"""How far describing has stepped down for want of memory: a few words in the library, so that they outlast restarts.

They are kept among the preferences under a name that is no setting; `work.stepping` writes and reads them.
"""

from appliance.library.database import Connection, instant, transaction

_NAME = "stepped-down"


def get(db: Connection) -> str | None:
    """Return what was kept last, None where nothing was."""
    row = db.execute("SELECT value FROM preferences WHERE name = ?", (_NAME,)).fetchone()
    return None if row is None else str(row["value"])


def keep(db: Connection, text: str) -> None:
    """Keep `text` in place of what was kept before."""
    with transaction(db):
        db.execute(
            "INSERT INTO preferences (name, value, changed_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
            (_NAME, text, instant()),
        )


def forget(db: Connection) -> bool:
    """Remove what was kept; return whether there was anything."""
    with transaction(db):
        return db.execute("DELETE FROM preferences WHERE name = ?", (_NAME,)).rowcount == 1
