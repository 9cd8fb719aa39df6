"""The library database: connections, transactions and migrations."""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from appliance.errors import DamagedLibraryError, LibraryError, StorageError, StorageFullError
from appliance.library import disk
from appliance.library.schema import MIGRATIONS
from appliance.sentences import say

if TYPE_CHECKING:
    from sqlite_utils import Database

Connection = sqlite3.Connection
Started = TypeVar("Started")

log = logging.getLogger(__name__)

_SET = "library"
_BUSY_SECONDS = 10.0
# What SQLite's result codes mean for the owner; the low byte of an extended code is its primary code.
_MEANINGS = {
    sqlite3.SQLITE_BUSY: (say("The library is busy."), say("Try again in a moment.")),
    sqlite3.SQLITE_LOCKED: (say("The library is busy."), say("Try again in a moment.")),
    sqlite3.SQLITE_READONLY: (say("The library cannot be written to."), say("Check that the data folder is writable.")),
    sqlite3.SQLITE_PERM: (say("The library may not be opened."), say("Check who owns the data folder.")),
    sqlite3.SQLITE_CANTOPEN: (
        say("The library cannot be opened."),
        say("Check that the data folder is there and readable."),
    ),
    sqlite3.SQLITE_IOERR: (
        say("The library's disk gives errors."),
        say("Check the card or disk; it may be wearing out."),
    ),
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connect(path: Path) -> Connection:
    """Return a connection to the migrated library at `path`: autocommit, rows by name, one for each thread or request.

    Raises LibraryError where there is no library or it cannot be opened.
    """
    return _open(path, "rw")


def migrate(path: Path) -> None:
    """Create the library at `path` or bring it up to date; safe to repeat and to run in several processes at once.

    Raises LibraryError where it is damaged, cannot be written, or was made by a newer Shoebox.
    """
    with disk.usable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with changing(path):
        bring_up_to_date(path)


def bring_up_to_date(path: Path) -> None:
    """Do as `migrate` does, in the hands of whoever holds `changing`, or on a file that nobody else knows."""
    with explained(), closing(_open(path, "rwc")) as db:
        _apply(db)


def is_up_to_date(db: Connection) -> bool:
    """Return whether the library has every migration; raises LibraryError where it was made by a newer Shoebox."""
    known = {name for name, _ in MIGRATIONS}
    applied = _applied(db)
    if not applied <= known:
        raise LibraryError("This library was made by a newer Shoebox.", "Update Shoebox, or restore an older backup.")
    return applied == known


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Hold the lock under which the library at `path` is begun, checked, restored and migrated: one process at once."""
    with disk.usable(path.parent):
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # held until the descriptor is closed, or its process is gone
        yield
    finally:
        os.close(lock)


def once_there_is_room(start: Callable[[], Started], wait: Callable[[float], object]) -> Started | None:
    """Return what `start` does, tried each second while the disk is full; None where `wait` returned anything but None.

    A box that ends on a full disk would stay away when there is room again.
    """
    told = False
    while True:
        try:
            with explained():
                return start()
        except StorageFullError as error:
            if not told:
                log.error("Shoebox cannot start yet: %s It tries again each second.", error)
                told = True
        if wait(1.0) is not None:
            return None


LARGEST_ID = 2**63 - 1


def row_id(number: int) -> int:
    """Return a number as one that a row may have; 0, which none has, for one that SQLite cannot hold."""
    return number if 0 < number <= LARGEST_ID else 0


def sqlite_version(db: Connection) -> str:
    """Return the version of the database's own code."""
    return str(db.execute("SELECT sqlite_version()").fetchone()[0])


@contextmanager
def transaction(db: Connection) -> Iterator[None]:
    """Run the block as one change: committed at its end, undone where it raises. Inside another it is a part of that.

    The write lock is taken at once, so that a read and the write after it see the same library. Raises
    StorageFullError and LibraryError in place of SQLite's operational errors.
    """
    nested = db.in_transaction
    with explained():
        db.execute("SAVEPOINT part" if nested else "BEGIN IMMEDIATE")
        try:
            yield
            db.execute("RELEASE part" if nested else "COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite itself rolls back on some errors, such as a full disk
                if nested:
                    db.execute("ROLLBACK TO part")
                    db.execute("RELEASE part")
                else:
                    db.execute("ROLLBACK")
            raise


def problems(db: Connection) -> list[str]:
    """Return what SQLite finds wrong with the whole file, at most a hundred things; none in a sound library."""
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(100)")]
        broken = db.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [line for line in found if line != "ok"] + [
        say("a row of {row} belongs to none of {row_2}", row=row[0], row_2=row[2]) for row in broken
    ]


def instant(now: float | None = None) -> str:
    """Return `now` (Unix seconds; by default the present) as ISO 8601 in UTC: `2024-05-03T12:20:00Z`."""
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(now: float) -> str:
    """Return `now` (Unix seconds) in UTC as it stands in the names of files: `2026-05-03T0210Z`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%MZ}"


def _open(path: Path, mode: str) -> Connection:
    try:
        return _opened(path, mode)
    except StorageError:
        disk.check(path.parent)  # SQLite says "cannot open" where there is no room for what it opens beside the file
        raise


def _opened(path: Path, mode: str) -> Connection:
    with explained():
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute(f"PRAGMA journal_size_limit = {16 << 20}")
        except BaseException:
            db.close()
            raise
        return db


def _apply(db: Connection) -> None:
    if is_up_to_date(db):
        return
    from sqlite_utils import Database, Migrations  # 0.2 s to import, and seldom needed

    migrations = Migrations(_SET)
    for name, sql in MIGRATIONS:
        migrations(name=name)(_script(sql))
    migrations.apply(Database(db, execute_plugins=False))


def _applied(db: Connection) -> set[str]:
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = '_sqlite_migrations'").fetchone() is None:
        return set()
    return {row[0] for row in db.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (_SET,))}


def _script(sql: str) -> Callable[["Database"], None]:
    def run(db: "Database") -> None:
        db.executescript(sql)  # statement by statement, inside the migration's transaction

    return run


@contextmanager
def explained() -> Iterator[None]:
    """Raise StorageFullError and StorageError, in the owner's words, in place of SQLite's errors in the block."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        code = extended & 0xFF
        if code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
            raise StorageFullError("The card or disk is full.", "Make room; Shoebox then goes on by itself.") from error
        if code in _DAMAGED:
            raise DamagedLibraryError(
                "The library's database is damaged.",
                "Stop Shoebox and start it again; it is then restored from the newest backup.",
            ) from error
        if code in _MEANINGS:
            raise StorageError(*_MEANINGS[code]) from error
        raise
