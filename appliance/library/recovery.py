"""Putting a sound database in the place of a damaged or a missing one, and the mark that its originals are to be found.

What replaces it is made ready beside it, down to the notice that tells of it, and renamed into place: a power cut
leaves either the former or the whole new one.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.library import backups, damage, disk, marker, notices
from appliance.library.database import Connection, bring_up_to_date, connect, instant, transaction
from appliance.library.durable import sync
from appliance.records import Level
from appliance.sentences import Sentence, counted, joined, kept, said_date, say

NOTICE = "restored"
_MARK = "recovery"  # kept among the preferences under a name that is no setting
# What the damaged database had given out since the backup is not given out again: pages and browsers remember numbers.
_LEAP = 1_000_000
_SEARCHING = say("Photos and videos that it does not list are being found again.")


@dataclass(frozen=True, slots=True)
class Recovery:
    """That originals which came before `before` (Unix seconds) are to be found again, and what the notice has said."""

    before: float
    said: str


def replace(
    data: Path,
    library: str,
    backup: Path | None,
    said: str,
    *,
    now: float,
    why: str = "damaged",
    level: Level = Level.WARN,
) -> Path | None:
    """Put a copy of `backup`, or an empty library, in place of `library.db`; return where the former one is now.

    For whoever alone has the library open. `said` tells people what happened, on every page until somebody dismisses
    it. Raises StorageFullError and LibraryError; everything is as it was then.
    """
    path = data / "library.db"
    ready = data / "library.db.ready"
    for ending in ("", "-wal", "-shm"):
        ready.with_name(ready.name + ending).unlink(missing_ok=True)
    if backup is not None:
        backups.copy(backup, ready)
    bring_up_to_date(ready)
    with closing(connect(ready)) as db:
        with transaction(db):
            marker.into_database(db, library)
            _leap(db)
            db.execute(
                "INSERT OR REPLACE INTO preferences (name, value, changed_at) VALUES (?, ?, ?)",
                (_MARK, json.dumps({"before": now, "said": kept(said)}), instant(now)),
            )
            text = joined((said, _SEARCHING))
            notices.put_up(db, NOTICE, text, level=level, dismissible=True)
        db.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file that is renamed
    with disk.usable(data):
        sync(ready)
        aside = damage.set_aside(path, now=now, why=why)
        ready.replace(path)
        sync(data)
    return aside


def pending(db: Connection) -> Recovery | None:
    """Return what is still to be found again, None where nothing is."""
    row = db.execute("SELECT value FROM preferences WHERE name = ?", (_MARK,)).fetchone()
    if row is None:
        return None
    noted = json.loads(row["value"])
    return Recovery(noted["before"], Sentence.read(noted["said"]))


def finish(db: Connection, found: int) -> None:
    """Note that everything was looked through and `found` files were found again; say so where the notice stands."""
    with transaction(db):
        recovery = pending(db)
        db.execute("DELETE FROM preferences WHERE name = ?", (_MARK,))
        stands = next((one for one in notices.standing(db) if one.name == NOTICE), None)
        if recovery is not None and stands is not None:
            text = _found(found, recovery.said)
            notices.put_up(db, NOTICE, text, stands.next_step, level=stands.level, dismissible=True)


def dated(backup: Path, zone: ZoneInfo) -> str:
    """Return when a backup was made as people say it in their time zone: `3 May 2026, 02:10`."""
    made = backups.made_at(backup).astimezone(zone)
    return said_date(made.date(), f"{made:%H:%M}")


def _found(count: int, said: str) -> Sentence:
    if count == 0:
        return say("{said} No file was found that it did not list.", said=said)
    return counted(
        "{said} {count} file was found that it did not list.",
        "{said} {count} files were found that it did not list.",
        count,
        said=said,
    )


def _leap(db: Connection) -> None:
    db.execute("UPDATE revision SET latest = latest + ?", (_LEAP,))
    for table in ("items", "jobs"):
        last = db.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()[0] or 0
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last + _LEAP))
