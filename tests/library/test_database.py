"""Connections, transactions and migrations on real files."""

import fcntl
import resource
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from appliance.errors import LibraryError, StorageError, StorageFullError
from appliance.library import database
from appliance.library.database import Connection, transaction
from appliance.library.schema import MIGRATIONS
from appliance.records import Priority

TABLES = {
    "items", "descriptions", "frames", "tags", "jobs", "preferences", "schedule_slots", "accounts", "sessions",
    "access_keys", "items_fts",
}  # fmt: skip


def pragma(db: Connection, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def insert_and_fail(db: Connection, name: str, *inside: str) -> None:
    """Insert a row in a transaction, others in transactions inside it, and fail."""
    with transaction(db):
        db.execute("INSERT INTO schedule_slots VALUES (?, '1')", (name,))
        if inside:
            insert_and_fail(db, *inside)
        raise ZeroDivisionError


def test_connection_survives_power_cuts_and_keeps_references(db: Connection) -> None:
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "synchronous") == 2
    assert pragma(db, "foreign_keys") == 1
    assert pragma(db, "busy_timeout") == 10_000
    assert db.isolation_level is None


def test_all_tables_are_there(db: Connection) -> None:
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert names >= TABLES


def test_migrations_are_recorded_and_safe_to_repeat(path: Path, db: Connection) -> None:
    before = db.execute("SELECT name, applied_at FROM _sqlite_migrations").fetchall()
    database.migrate(path)
    assert [row["name"] for row in before] == [name for name, _ in MIGRATIONS]
    assert db.execute("SELECT name, applied_at FROM _sqlite_migrations").fetchall() == before


def test_new_migration_is_added_to_an_old_library(path: Path, db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    later = (*MIGRATIONS, ("002_later", "CREATE TABLE later (x INTEGER); INSERT INTO later VALUES (1);"))
    monkeypatch.setattr(database, "MIGRATIONS", later)
    database.migrate(path)
    assert db.execute("SELECT x FROM later").fetchone()[0] == 1


def older_library(data: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one photo, as it was before the migrations from `version` on."""
    path = data / "older.db"
    with monkeypatch.context() as older:
        older.setattr(database, "MIGRATIONS", tuple(entry for entry in MIGRATIONS if entry[0] < version))
        database.migrate(path)
    with closing(database.connect(path)) as db:
        db.execute(
            "INSERT INTO items (kind, sha256, path, name, bytes, mime, added_at)"
            " VALUES ('photo', ?, 'a', 'a', 1, 'x', '')",
            ("0" * 64,),
        )
    return path


def test_tags_of_an_older_library_are_kept_and_still_tell_the_page(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = older_library(data, "004", monkeypatch)
    with closing(database.connect(path)) as db:
        db.executemany("INSERT INTO tags VALUES (1, ?, ?, ?)", [("dog", "model", 0), ("Rex", "person", 1)])
    database.migrate(path)
    with closing(database.connect(path)) as db:
        assert [tuple(row) for row in db.execute("SELECT text, source, place FROM tags ORDER BY place")] == [
            ("dog", "model", 0), ("Rex", "person", 1),
        ]  # fmt: skip
        before = db.execute("SELECT latest FROM revision").fetchone()[0]
        db.execute("INSERT INTO tags VALUES (1, 'animal', 'recogniser', 2)")
        db.execute("DELETE FROM tags WHERE text = 'rex'")
        assert db.execute("SELECT latest FROM revision").fetchone()[0] == before + 2
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("INSERT INTO tags VALUES (1, 'x', 'nobody', 3)")
        assert database.problems(db) == []


def test_what_a_night_had_asked_for_before_an_upgrade_counts_for_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = older_library(data, "012", monkeypatch)
    with closing(database.connect(path)) as db:
        db.executemany(
            "INSERT INTO nights (night, kind, asked) VALUES (?, ?, 1)",
            [("2026-05-02", "photo"), ("2026-05-03", "photo"), ("2026-05-03", "video")],
        )
        db.execute(
            "INSERT INTO jobs (item_id, task, priority, queued_at, not_before) VALUES (1, 'describe', ?, 0, 0)",
            (Priority.NIGHTLY,),
        )
    database.migrate(path)
    with closing(database.connect(path)) as db:
        db.execute("UPDATE jobs SET priority = ?", (Priority.PERSON,))
        db.execute("UPDATE jobs SET state = 'done', finished_at = 1")
        assert [row[0] for row in db.execute("SELECT described FROM nights ORDER BY id")] == [0, 1, 0]
        assert database.problems(db) == []


def test_failing_migration_leaves_nothing(path: Path, db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*MIGRATIONS, ("002_broken", "CREATE TABLE half (x INTEGER); INSERT INTO nowhere VALUES (1);"))
    monkeypatch.setattr(database, "MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        database.migrate(path)
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone()[0] == 0
    assert db.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0] == len(MIGRATIONS)


def test_library_of_a_newer_shoebox_is_refused_and_untouched(path: Path, db: Connection) -> None:
    db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('library', '999_new', 'x')")
    with pytest.raises(LibraryError, match="newer Shoebox"):
        database.migrate(path)


def test_processes_that_migrate_at_once_agree(data: Path) -> None:
    path = data / "new" / "library.db"
    script = "import sys, pathlib; from appliance.library import database; database.migrate(pathlib.Path(sys.argv[1]))"
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    with closing(database.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0] == len(MIGRATIONS)


def test_migrating_waits_for_another_that_migrates(data: Path) -> None:
    path = data / "library.db"
    with (data / "library.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=database.migrate, args=(path,))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert not path.exists()
    thread.join()
    database.connect(path).close()


def test_connecting_makes_no_library(data: Path) -> None:
    with pytest.raises(LibraryError, match="cannot be opened"):
        database.connect(data / "library.db")
    assert list(data.iterdir()) == []


def test_path_may_hold_any_character(data: Path) -> None:
    path = data / "50% of Anna's? #box" / "library.db"
    database.migrate(path)
    database.connect(path).close()


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to look like one" * 20, b"SQLite" * 99]
)
def test_damaged_file_is_told(data: Path, content: bytes) -> None:
    path = data / "library.db"
    path.write_bytes(content)
    with pytest.raises(LibraryError, match="damaged"):
        database.migrate(path)
    with pytest.raises(LibraryError, match="damaged"):
        database.connect(path)


def test_data_folder_that_cannot_be_made_is_told(data: Path) -> None:
    (data / "file").write_text("in the way")
    with pytest.raises(LibraryError, match="data folder"):
        database.migrate(data / "file" / "library.db")


def test_transaction_commits_or_undoes(db: Connection) -> None:
    with transaction(db):
        db.execute("INSERT INTO schedule_slots VALUES ('kept', '1')")
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(db, "undone")
    assert not db.in_transaction
    assert [row[0] for row in db.execute("SELECT name FROM schedule_slots")] == ["kept"]


def test_transaction_inside_another_is_a_part_of_it(db: Connection) -> None:
    with transaction(db):
        db.execute("INSERT INTO schedule_slots VALUES ('outer', '1')")
        with pytest.raises(ZeroDivisionError):
            insert_and_fail(db, "inner", "innermost")
        with transaction(db):
            db.execute("INSERT INTO schedule_slots VALUES ('second', '1')")
    assert [row[0] for row in db.execute("SELECT name FROM schedule_slots ORDER BY 1")] == ["outer", "second"]


def test_read_then_write_waits_for_the_other_writer(path: Path, db: Connection) -> None:
    """A deferred transaction would fail at once with "database is locked"; this one waits its turn."""
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(database.connect(path)) as other, transaction(other):
            other.execute("INSERT INTO schedule_slots VALUES ('other', '1')")
            holding.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(30)
    threading.Timer(0.2, release.set).start()
    with transaction(db):
        seen = db.execute("SELECT count(*) FROM schedule_slots").fetchone()[0]
        db.execute("INSERT INTO schedule_slots VALUES ('mine', '1')")
    thread.join()
    assert seen == 1


def test_busy_library_is_told(path: Path, db: Connection) -> None:
    db.execute("PRAGMA busy_timeout = 1")
    with closing(database.connect(path)) as other, transaction(other):
        with pytest.raises(LibraryError, match="busy"), transaction(db):
            raise AssertionError("somebody else is writing")


def test_full_disk_is_told_and_undone(db: Connection) -> None:
    pages = pragma(db, "page_count")
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFullError, match="full"), transaction(db):
        db.execute("INSERT INTO schedule_slots VALUES ('large', ?)", ("x" * 1_000_000,))
    assert not db.in_transaction
    assert db.execute("SELECT count(*) FROM schedule_slots").fetchone()[0] == 0


def test_a_disk_that_refuses_to_write_is_told(db: Connection) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # the kernel answers EFBIG, which SQLite takes for an error
    try:
        with pytest.raises(StorageError, match="gives errors"), transaction(db):
            db.execute("INSERT INTO preferences (name, value, changed_at) VALUES ('beams', '2', '')")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert db.execute("SELECT count(*) FROM preferences").fetchone()[0] == 0


def test_full_disk_inside_a_part_undoes_the_whole(db: Connection) -> None:
    db.execute(f"PRAGMA max_page_count = {pragma(db, 'page_count')}")
    with pytest.raises(StorageFullError), transaction(db):
        with transaction(db):
            db.execute("INSERT INTO schedule_slots VALUES ('large', ?)", ("x" * 1_000_000,))
    assert db.execute("SELECT count(*) FROM schedule_slots").fetchone()[0] == 0


@pytest.mark.parametrize(
    "row",
    [
        ("audio", "pending", "a" * 64, 1),
        ("photo", "waiting", "a" * 64, 1),
        ("photo", "pending", "short", 1),
        ("photo", "pending", "a" * 64, -1),
    ],
)
def test_rows_that_mean_nothing_are_refused(db: Connection, row: tuple[object, ...]) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(
            "INSERT INTO items (kind, status, sha256, bytes, path, name, mime, added_at)"
            " VALUES (?, ?, ?, ?, 'p', 'n', 'm', 'now')",
            row,
        )


def test_instant_is_utc() -> None:
    assert database.instant(1_714_737_600.9) == "2024-05-03T12:00:00Z"
