"""Telling a damaged database from one that is only busy, guarded or out of reach, and putting it aside."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.library.database import explained, stamp
from appliance.library.durable import sync
from appliance.sentences import say

KEPT = 3  # that many databases that were set aside; each may be as large as the library's
_BESIDE = ("", "-wal", "-shm", "-journal")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def found(path: Path, *, thorough: bool = False) -> str | None:
    """Return what is damaged in the database at `path`, None where it is sound; a file without any table is not.

    `thorough` compares each index with its table as well, which takes longer than a start should.
    Raises LibraryError where that cannot be told: it is busy, may not be opened, or its disk gives errors.
    """
    with explained():
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10)) as db:
                check = "integrity_check" if thorough else "quick_check"
                wrong = str(db.execute(f"PRAGMA {check}(1)").fetchone()[0])
                if wrong != "ok":
                    return wrong.splitlines()[-1]
                if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'items'").fetchone() is None:
                    return say("it holds no library")
                return None
        except sqlite3.DatabaseError as error:
            if _tells_damage(error):
                return str(error)
            raise


def mend_search(path: Path) -> bool:
    """Make the search index of a sound library anew where it is damaged, which no other check tells; return whether.

    Raises LibraryError where that cannot be done.
    """
    with explained(), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10)) as db:
        try:
            db.execute("INSERT INTO items_fts (items_fts) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            if not _tells_damage(error):
                raise
            db.execute("INSERT INTO items_fts (items_fts) VALUES ('rebuild')")
            db.commit()
            return True
    return False


def set_aside(path: Path, *, now: float, why: str = "damaged") -> Path | None:
    """Rename the database, with what belongs to it, to `library.db.damaged-2026-11-23T183000Z`; return its new name.

    None where there was none; a log that it left behind goes all the same, or SQLite would lay it over another's pages.
    """
    aside = path.with_name(f"{path.name}.{why}-{stamp(now)}")
    number = 2
    while aside.exists():
        aside = path.with_name(f"{path.name}.{why}-{stamp(now)}-{number}")
        number += 1
    there = path.exists()
    for ending in reversed(_BESIDE):  # the database last: a power cut in between finds it where it was
        beside = path.with_name(path.name + ending)
        if beside.exists():
            os.replace(beside, aside.with_name(aside.name + ending))
    sync(path.parent)
    _forget_oldest(path)
    return aside if there else None


def _tells_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGED


def _forget_oldest(path: Path) -> None:
    aside = [one for one in path.parent.glob(f"{path.name}.*-*Z*") if not one.name.endswith(_BESIDE[1:])]
    for old in sorted(aside, key=lambda one: one.stat().st_mtime)[:-KEPT]:
        for ending in _BESIDE:
            old.with_name(old.name + ending).unlink(missing_ok=True)
