"""Backups of the database: whole, verified copies in `backups/`, of which the newest are kept.

They guard against a damaged database, not against a lost disk: the originals are not in them.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import LibraryError, StorageFullError
from appliance.library import disk, marker
from appliance.library.database import Connection, explained, problems, stamp
from appliance.library.durable import sync
from appliance.sentences import say

FOLDER = "backups"
_PART = ".library.part"
_SPARE = 32 << 20  # bytes that a backup leaves free, for uploads under way
_TOO_OLD = 2 * 86400.0  # seconds
_COUNTED = ("items", "descriptions", "tags", "jobs")
# What tells two states of a library apart. Visible changes all move the revision.
_TELLING = (
    "SELECT latest FROM revision",
    "SELECT seq FROM sqlite_sequence ORDER BY name",
    "SELECT max(id) FROM descriptions",
    "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')",
    "SELECT name, value FROM preferences ORDER BY name",
    "SELECT id, name, role, password_hash, disabled_at FROM accounts ORDER BY id",
    "SELECT id, scopes, revoked_at FROM access_keys ORDER BY id",
)


def listed(data: Path) -> list[Path]:
    """Return the backups, the newest first; whether they are good is for `fault` to say.

    The library's revision goes before the date in the name, which a wrong clock may have given.
    """
    return sorted((data / FOLDER).glob("library-*.db"), key=lambda one: (_revision(one), one.name), reverse=True)


def made_at(backup: Path) -> datetime:
    """Return when a backup was made, by its name; by its file's time where somebody has renamed it."""
    try:
        return datetime.strptime(backup.stem.partition("-")[2][:16], "%Y-%m-%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(backup.stat().st_mtime, UTC)


def fault(backup: Path) -> str | None:
    """Return what is wrong with a backup, None where it is a whole library."""
    try:
        with _reading(backup) as db:
            wrong = problems(db)
            if not wrong and not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'items'").fetchone():
                wrong = [say("it holds no library")]
    except (sqlite3.DatabaseError, OSError) as error:
        return str(error)
    return wrong[0] if wrong else None


def newest_good(data: Path, library: str | None = None) -> Path | None:
    """Return the newest backup that is whole, and of this library where one is named (or older than ids are)."""
    good = (backup for backup in listed(data) if fault(backup) is None)
    return next((one for one in good if library is None or library_of(one) in {None, library}), None)


def library_of(backup: Path) -> str | None:
    """Return the id of the library that a good backup is of, None where it is older than ids are."""
    with _reading(backup) as db:
        return marker.in_database(db)


def is_current(db: Connection, data: Path) -> bool:
    """Return whether the newest backup holds all that the library does: another would say nothing new."""
    newest = next(iter(listed(data)), None)
    if newest is None or fault(newest) is not None:
        return False
    with _reading(newest) as copy:
        return _told_apart(copy) == _told_apart(db)


def make(
    db: Connection, data: Path, *, now: float, kept: int, verify: Callable[[Path], str | None] = fault
) -> Path | None:
    """Write a backup, verify it, keep the newest `kept`, and return it; None where the newest one holds all already.

    Takes seconds for a large library: not for a thread that others wait for. Raises StorageFullError where there is
    no room, LibraryError where the copy is not good; nothing is left then, and the older ones stay. Waits for another
    one that is being made.
    """
    folder = data / FOLDER
    part = folder / _PART
    with disk.usable(data):
        folder.mkdir(exist_ok=True)
    with _one_at_a_time(folder), disk.usable(data):
        if is_current(db, data):
            return None
        part.unlink(missing_ok=True)
        try:
            _check_room(db, data)
            before = _counts(db)
            with explained():
                db.execute("VACUUM INTO ?", (str(part),))
            sync(part)
            _verify(part, before, _counts(db), verify)
            target = folder / f"library-{stamp(now)}.db"
            part.replace(target)
            sync(folder)
            sync(data)
        finally:
            part.unlink(missing_ok=True)
    for old in [one for one in listed(data) if one != target][max(0, kept - 1) :]:
        old.unlink(missing_ok=True)
    return target


def overdue(db: Connection, data: Path, *, now: float) -> str | None:
    """Return, as a sentence, that the newest good backup is too old, None where it is not or the library is young."""
    first = db.execute("SELECT min(added_at) FROM items").fetchone()[0]
    if first is None or now - datetime.fromisoformat(first).timestamp() < _TOO_OLD:
        return None
    newest = newest_good(data)
    if newest is None:
        return say("There is no good backup of the database.")
    if now - made_at(newest).timestamp() < _TOO_OLD or is_current(db, data):
        return None
    return say("The newest good backup of the database is of {made_at}.", made_at=f"{made_at(newest):%Y-%m-%d}")


def copy(backup: Path, target: Path) -> None:
    """Copy a backup to the disk as `target`; raises StorageFullError and LibraryError, and leaves nothing then."""
    with disk.usable(target.parent):
        try:
            shutil.copyfile(backup, target)
            sync(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    # The night's and one that a person asks for: of two at once, one would take the other's part away.
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _revision(backup: Path) -> int:
    try:
        with _reading(backup) as db:
            return int(db.execute("SELECT latest FROM revision").fetchone()[0])
    except (sqlite3.DatabaseError, TypeError):  # damaged: `fault` tells
        return -1


def _check_room(db: Connection, data: Path) -> None:
    names = ("page_count", "freelist_count", "page_size")
    pages, free_pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    if (pages - free_pages) * size + _SPARE > shutil.disk_usage(data).free:
        raise StorageFullError("There is no room for a backup.", "Make room; it is then made by itself.")


def _verify(part: Path, before: dict[str, int], after: dict[str, int], verify: Callable[[Path], str | None]) -> None:
    wrong = verify(part)
    if wrong is None:
        with _reading(part) as copy:
            counted = _counts(copy)
        # Others may write while it is copied: what is in the copy lies between what was there before and after.
        ranges = {table: sorted((before[table], after[table])) for table in _COUNTED}
        wrong = next(
            (
                say("{counted} rows of {table} and not {most}", counted=counted[table], table=table, most=most)
                for table, (least, most) in ranges.items()
                if not least <= counted[table] <= most
            ),
            None,
        )
    if wrong is not None:
        raise LibraryError(
            "The backup did not come out whole: {wrong}.", "Check the card or disk; it may be failing.", wrong=wrong
        )


def _counts(db: Connection) -> dict[str, int]:
    return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _COUNTED}  # noqa: S608


def _told_apart(db: Connection) -> str:
    told = hashlib.sha256()
    for query in _TELLING:
        told.update(repr([tuple(row) for row in db.execute(query)]).encode())
    return told.hexdigest()


@contextmanager
def _reading(backup: Path) -> Iterator[Connection]:
    # Immutable: a copy has no log, and none is to be made beside it.
    with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        yield db
