"""What the box says of itself on every page: that it is too warm, that a backup failed, what was restored.

A notice that says nothing new is not written again: a box with nothing to say wears no card.
"""

from appliance.library.database import Connection, instant, transaction
from appliance.records import Level, Notice
from appliance.sentences import Sentence, kept


def put_up(
    db: Connection, name: str, text: str, next_step: str = "", *, level: Level = Level.WARN, dismissible: bool = False
) -> bool:
    """Show a notice until it is taken down or dismissed, in place of one of its name; return whether that is news."""
    text, next_step = kept(text), kept(next_step)
    same = "SELECT 1 FROM notices WHERE (name, level, text, next_step, dismissible) = (?, ?, ?, ?, ?)"
    if db.execute(same, (name, level, text, next_step, dismissible)).fetchone():
        return False
    with transaction(db):
        db.execute(
            "INSERT INTO notices (name, level, text, next_step, dismissible, since) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET level = excluded.level, text = excluded.text,"
            " next_step = excluded.next_step, dismissible = excluded.dismissible",
            (name, level, text, next_step, dismissible, instant()),
        )
    return True


def take_down(db: Connection, name: str) -> bool:
    """Remove a notice, as what it tells of is over; return whether it stood."""
    if not db.execute("SELECT 1 FROM notices WHERE name = ?", (name,)).fetchone():
        return False
    with transaction(db):
        return db.execute("DELETE FROM notices WHERE name = ?", (name,)).rowcount == 1


def dismiss(db: Connection, name: str) -> bool:
    """Remove a notice that somebody has read; False for one that only goes by itself, or that is gone already."""
    with transaction(db):
        return db.execute("DELETE FROM notices WHERE name = ? AND dismissible", (name,)).rowcount == 1


def standing(db: Connection) -> list[Notice]:
    """Return the notices to be shown, the worst first and of equals the newest."""
    rows = db.execute(
        "SELECT * FROM notices ORDER BY CASE level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, since DESC, name"
    )
    return [
        Notice(
            row["name"],
            Level(row["level"]),
            Sentence.read(row["text"]),
            Sentence.read(row["next_step"]),
            bool(row["dismissible"]),
            row["since"],
        )
        for row in rows
    ]
