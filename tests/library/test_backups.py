"""Backups: whole, verified, on the disk, the newest few kept, and nothing left of one that failed."""

import itertools
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from appliance.errors import LibraryError, StorageFullError
from appliance.library import backups, database, items, preferences
from appliance.library.database import Connection
from appliance.records import Item

NIGHT = 1_777_774_200.0  # 2026-05-03T02:10:00Z
DAY = 86400.0


def make(db: Connection, data: Path, now: float = NIGHT, kept: int = 7) -> Path | None:
    return backups.make(db, data, now=now, kept=kept)


def test_a_backup_holds_everything_and_is_named_by_its_time(
    db: Connection, data: Path, add: Callable[..., Item]
) -> None:
    added = [add(b"one").sha256, add(b"two").sha256]
    made = make(db, data)
    assert made == data / "backups" / "library-2026-05-03T0210Z.db"
    assert [path.name for path in (data / "backups").iterdir()] == [made.name]
    assert backups.fault(made) is None
    restored = Path(shutil.copy(made, data / "copy.db"))
    with closing(database.connect(restored)) as copy:
        assert [item.sha256 for item in items.every(copy)] == added
    assert backups.made_at(made).timestamp() == NIGHT


def test_the_newest_are_kept(db: Connection, data: Path, add: Callable[..., Item]) -> None:
    for day in range(5):
        add(b"%d" % day)
        make(db, data, NIGHT + day * DAY, kept=3)
    assert [path.name[8:18] for path in backups.listed(data)] == ["2026-05-07", "2026-05-06", "2026-05-05"]


def test_a_library_that_has_not_changed_needs_no_other(db: Connection, data: Path, add: Callable[..., Item]) -> None:
    add(b"one")
    first = make(db, data)
    assert make(db, data, NIGHT + DAY) is None
    assert backups.listed(data) == [first]
    preferences.set(db, "batch_size", 7)
    assert make(db, data, NIGHT + DAY) is not None
    os.truncate(backups.listed(data)[0], 3000)
    assert make(db, data, NIGHT + 2 * DAY) is not None, "the newest is damaged and counts for nothing"


def test_the_newest_is_told_by_the_library_not_by_the_clock(
    db: Connection, data: Path, add: Callable[..., Item]
) -> None:
    add(b"one")
    make(db, data, NIGHT + 1000 * DAY)  # the clock was wrong
    add(b"two")
    right = make(db, data)
    assert backups.newest_good(data) == right
    add(b"three")
    assert make(db, data, NIGHT + DAY, kept=2) in backups.listed(data)
    assert right in backups.listed(data)


def test_a_copy_that_is_not_whole_is_no_backup(db: Connection, data: Path, add: Callable[..., Item]) -> None:
    add(b"one")
    good = make(db, data)
    add(b"two")

    def damage(part: Path) -> str | None:
        os.truncate(part, part.stat().st_size // 2)
        return backups.fault(part)

    with pytest.raises(LibraryError, match="did not come out whole"):
        backups.make(db, data, now=NIGHT + DAY, kept=1, verify=damage)
    assert [path for path in (data / "backups").iterdir()] == [good]


def test_a_copy_that_lacks_rows_is_no_backup(
    db: Connection, data: Path, add: Callable[..., Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(b"one")

    def lose(part: Path) -> None:
        with closing(database.connect(part)) as copy:
            copy.execute("DELETE FROM items")
            copy.execute("PRAGMA journal_mode = DELETE")

    monkeypatch.setattr(backups, "sync", lambda path: lose(path) if path.suffix == ".part" else None)
    with pytest.raises(LibraryError, match="0 rows of items and not 1"):
        make(db, data)
    assert list((data / "backups").iterdir()) == []


def test_no_room_is_told_before_anything_is_written(
    db: Connection, data: Path, add: Callable[..., Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(b"one")
    monkeypatch.setattr(backups, "_SPARE", 1 << 62)
    with pytest.raises(StorageFullError, match="no room for a backup"):
        make(db, data)
    assert list((data / "backups").iterdir()) == []


def test_what_a_power_cut_left_is_swept(db: Connection, data: Path, add: Callable[..., Item]) -> None:
    add(b"one")
    (data / "backups").mkdir()
    (data / "backups" / ".library.part").write_bytes(b"half")
    assert make(db, data) is not None
    assert len(list((data / "backups").iterdir())) == 1


def test_uploads_go_on_while_a_backup_is_made(db: Connection, path: Path, data: Path, add: Callable[..., Item]) -> None:
    add(b"one")
    stop = threading.Event()

    def write() -> None:
        with closing(database.connect(path)) as own:
            for number in itertools.count():
                if stop.is_set():
                    return
                preferences.set(own, "box_name", f"Box {number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for night in range(3):
            last = preferences.stored(db).get("box_name")
            while preferences.stored(db).get("box_name") == last:  # else there is nothing new, and no backup
                assert writer.is_alive()
                time.sleep(0.001)
            made = make(db, data, NIGHT + night * DAY)
            assert made is not None
            assert backups.fault(made) is None
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0 and nothing more", b"text" * 2000])
def test_what_is_no_backup_is_none(data: Path, content: bytes) -> None:
    (data / "backups").mkdir()
    (data / "backups" / "library-2026-05-03T0210Z.db").write_bytes(content)
    assert backups.fault(data / "backups" / "library-2026-05-03T0210Z.db")
    assert backups.newest_good(data) is None


def test_a_backup_is_overdue_after_two_days_of_change(db: Connection, data: Path, add: Callable[..., Item]) -> None:
    assert backups.overdue(db, data, now=NIGHT) is None
    add(b"one", now=NIGHT)
    assert backups.overdue(db, data, now=NIGHT + DAY) is None
    assert "no good backup" in str(backups.overdue(db, data, now=NIGHT + 3 * DAY))
    make(db, data, NIGHT + 3 * DAY)
    assert backups.overdue(db, data, now=NIGHT + 9 * DAY) is None, "nothing has changed since"
    add(b"two")
    assert "is of 2026-05-06" in str(backups.overdue(db, data, now=NIGHT + 9 * DAY))
    assert backups.overdue(db, data, now=NIGHT + 4 * DAY) is None


def test_two_at_once_make_one(db: Connection, data: Path, add: Callable[..., Item]) -> None:
    add(b"one")
    start, made = threading.Barrier(4), []

    def one() -> None:
        with closing(database.connect(data / "library.db")) as own:
            start.wait(20)
            made.append(make(own, data))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 4
    assert [one for one in made if one is not None] == backups.listed(data)
    assert backups.fault(backups.listed(data)[0]) is None
