"""Whether describing is paused: a mark in the library, so that it outlasts restarts and rules every worker.

It is kept among the preferences under a name that is no setting. `jobs` hands out no description while it stands;
uploads are taken in and prepared all the same, and a description that is being written is finished.
"""

from appliance.library.database import Connection, instant, transaction

_NAME = "paused"
# For the conditions of other queries.
STANDS = f"EXISTS (SELECT 1 FROM preferences WHERE name = '{_NAME}')"  # noqa: S608


def pause(db: Connection) -> bool:
    """Stop handing out descriptions; False where that was so already."""
    with transaction(db):
        changed = db.execute(
            "INSERT INTO preferences (name, value, changed_at) VALUES (?, 'true', ?) ON CONFLICT (name) DO NOTHING",
            (_NAME, instant()),
        )
        return _told(db, changed.rowcount == 1)


def resume(db: Connection) -> bool:
    """Hand out descriptions again; False where that was so already."""
    with transaction(db):
        changed = db.execute("DELETE FROM preferences WHERE name = ?", (_NAME,))
        return _told(db, changed.rowcount == 1)


def is_paused(db: Connection) -> bool:
    """Return whether describing is paused."""
    return bool(db.execute(f"SELECT {STANDS}").fetchone()[0])


def _told(db: Connection, changed: bool) -> bool:
    if changed:
        db.execute("UPDATE revision SET latest = latest + 1")  # the open pages look for a new number
    return changed
