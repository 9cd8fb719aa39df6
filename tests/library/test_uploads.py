"""Uploads: each file once, acknowledged only when it is safe, with nothing left of those that were not."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance import cli_try
from appliance.errors import LibraryError, StorageFullError
from appliance.library import database, items, jobs, statuses, uploads
from appliance.library.database import Connection, transaction
from appliance.library.store import Store
from appliance.records import Format, Item, JobState, Kind, Priority, Status, Task

# What a process of its own starts with: `upload(content)` on the library in its first argument.
UPLOADER = """
import os, pathlib, sys
from appliance.library import database, store, uploads
from appliance.records import Format, Kind
data = pathlib.Path(sys.argv[1])
db = database.connect(data / "library.db")
files = store.Store(data)
def upload(content):
    with files.receive() as incoming:
        incoming.write(content)
        return uploads.accept(db, files, incoming, "a.jpg", Format(Kind.PHOTO, "image/jpeg", "JPEG"), describe=True)
"""


def test_upload_becomes_an_item_with_its_work(db: Connection, store: Store, noon: float) -> None:
    with store.receive() as incoming:
        incoming.write(b"film")
        item, duplicate, to_ring = uploads.accept(
            db, store, incoming, "trip\u202e/beach.mp4", Format(Kind.VIDEO, "video/mp4", "MP4"), describe=True, now=noon
        )
    assert not duplicate
    assert item == items.get(db, item.id)
    assert item == Item(
        id=item.id,
        kind=Kind.VIDEO,
        status=Status.PENDING,
        sha256=hashlib.sha256(b"film").hexdigest(),
        path="2024/05/beach.mp4",
        name="beach.mp4",
        bytes=4,
        mime="video/mp4",
        added_at="2024-05-03T12:00:00Z",
        revision=item.revision,
    )
    assert store.original(item.path).read_bytes() == b"film"
    assert [(job.task, job.priority, job.state) for job in to_ring] == [
        (Task.PREPARE, Priority.PREPARE, JobState.QUEUED),
        (Task.DESCRIBE, Priority.UPLOAD, JobState.QUEUED),
    ]


def test_upload_waits_for_the_night_where_asked(db: Connection, store: Store, jpeg: Format) -> None:
    with store.receive() as incoming:
        item, _, to_ring = uploads.accept(db, store, incoming, "a.jpg", jpeg, describe=False)
    assert [job.task for job in to_ring] == [Task.PREPARE]
    assert item.status is Status.PENDING


def test_same_bytes_are_kept_once(db: Connection, store: Store, jpeg: Format, add: Callable[..., Item]) -> None:
    first = add(b"same", "first.jpg")
    with store.receive() as incoming:
        incoming.write(b"same")
        assert uploads.accept(db, store, incoming, "second.jpg", jpeg, describe=True) == (first, True, [])
        assert not incoming.path.exists()
    assert list(store.originals()) == [first.path]
    assert len(items.page(db).items) == 1


def test_same_name_with_other_bytes_is_another_item(store: Store, add: Callable[..., Item]) -> None:
    first, second = add(b"one", "a.jpg"), add(b"two", "a.jpg")
    assert (first.path, second.path) == ("2024/05/a.jpg", "2024/05/a-2.jpg")
    assert (first.name, second.name) == ("a.jpg", "a.jpg")


def test_duplicate_of_a_trashed_item_takes_it_out_of_the_trash(db: Connection, add: Callable[..., Item]) -> None:
    first = add(b"same")
    db.execute("UPDATE items SET trashed_at = 'then' WHERE id = ?", (first.id,))
    assert items.page(db).items == []
    back = add(b"same")
    assert (back.id, back.trashed_at) == (first.id, None)
    assert items.page(db).items == [back]


@pytest.mark.parametrize("left", [None, b"", b"sa"])
def test_duplicate_of_a_lost_original_brings_it_back(
    db: Connection, store: Store, add: Callable[..., Item], left: bytes | None
) -> None:
    """The sender hears "already here" and may delete his copy: it had better be true."""
    first = add(b"same")
    original = store.original(first.path)
    original.unlink()
    if left is not None:
        original.write_bytes(left)
    assert add(b"same") == first
    assert original.read_bytes() == b"same"
    assert list(store.originals()) == [first.path]


def test_name_of_a_lost_original_is_not_given_away(store: Store, add: Callable[..., Item]) -> None:
    lost = add(b"lost", "a.jpg")
    store.original(lost.path).unlink()
    assert add(b"new", "a.jpg").path == "2024/05/a-2.jpg"


def test_same_bytes_at_the_same_time_are_kept_once(path: Path, store: Store, jpeg: Format) -> None:
    start, answers = threading.Barrier(6), []

    def send() -> None:
        with closing(database.connect(path)) as db, store.receive() as incoming:
            incoming.write(b"race" * 1000)
            incoming.close()
            start.wait(30)
            answers.append(uploads.accept(db, store, incoming, "race.jpg", jpeg, describe=True))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(duplicate for _, duplicate, _ in answers) == [False] + [True] * 5
    assert len({item.id for item, _, _ in answers}) == 1
    assert list(store.originals()) == [answers[0][0].path]
    assert list((path.parent / "incoming").iterdir()) == []


def test_loser_of_the_race_removes_its_file(
    db: Connection, store: Store, jpeg: Format, add: Callable[..., Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(b"same")
    monkeypatch.setattr(items, "find_by_sha256", _blind_once(items.find_by_sha256))
    with store.receive() as incoming:
        incoming.write(b"same")
        assert uploads.accept(db, store, incoming, "other.jpg", jpeg, describe=True) == (first, True, [])
    assert list(store.originals()) == [first.path]


def test_a_file_adopted_before_its_row_is_written_stays(
    path: Path, store: Store, jpeg: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a clock that is set makes a new file look old, or all files are adopted after a restore."""
    keep = store.keep

    def keep_and_be_overtaken(*args: Any, **kwargs: Any) -> str:
        kept = keep(*args, **kwargs)
        with closing(database.connect(path)) as other:
            uploads.adopt(other, store, kept, jpeg, describe=True)
        return kept

    monkeypatch.setattr(store, "keep", keep_and_be_overtaken)
    with closing(database.connect(path)) as db, store.receive() as incoming:
        incoming.write(b"same")
        item, duplicate, jobs_to_ring = uploads.accept(db, store, incoming, "beach.jpg", jpeg, describe=True)
    assert not duplicate
    assert len(jobs_to_ring) == 2
    assert store.original(item.path).read_bytes() == b"same"
    assert list(store.originals()) == [item.path]


def _blind_once(find: Callable[[Connection, str], Item | None]) -> Callable[[Connection, str], Item | None]:
    """Look as if it was just before the first one's row came in."""
    calls: list[str] = []

    def look(db: Connection, sha256: str) -> Item | None:
        calls.append(sha256)
        return None if len(calls) == 1 else find(db, sha256)

    return look


def test_full_disk_at_the_row_leaves_nothing(db: Connection, store: Store, data: Path, jpeg: Format) -> None:
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    def send_until_full() -> None:
        for number in range(1000):
            with store.receive() as incoming:
                incoming.write(str(number).encode())
                uploads.accept(db, store, incoming, "x" * 150 + ".jpg", jpeg, describe=True)

    with pytest.raises(StorageFullError):
        send_until_full()
    assert len(list(store.originals())) == items.counts(db)[Status.PENDING]
    assert list((data / "incoming").iterdir()) == []
    assert statuses.disagreements(db) == []


def test_busy_library_leaves_the_file_to_be_adopted(path: Path, db: Connection, store: Store, jpeg: Format) -> None:
    db.execute("PRAGMA busy_timeout = 1")
    with closing(database.connect(path)) as other, transaction(other), store.receive() as incoming:
        incoming.write(b"x")
        with pytest.raises(LibraryError, match="busy"):
            uploads.accept(db, store, incoming, "a.jpg", jpeg, describe=True)
    [orphan] = uploads.orphans(db, store, older_than_seconds=0)
    item, duplicate, to_ring = uploads.adopt(db, store, orphan, jpeg, describe=True)
    assert (item.path, item.name, item.bytes, duplicate, len(to_ring)) == (orphan, "a.jpg", 1, False, 2)
    assert uploads.orphans(db, store, older_than_seconds=0) == []


def test_crash_between_file_and_row_lists_nothing_and_loses_nothing(
    data: Path, db: Connection, store: Store, jpeg: Format
) -> None:
    script = UPLOADER + "uploads._add = lambda *_, **__: os._exit(9)\nupload(b'x')"
    assert subprocess.run([sys.executable, "-c", script, str(data)], timeout=60).returncode == 9
    assert items.page(db).items == []
    assert uploads.orphans(db, store, older_than_seconds=60) == []  # it may still be on its way
    assert uploads.orphans(db, store, older_than_seconds=0) == [f"{_month()}/a.jpg"]
    item, _, _ = uploads.adopt(db, store, f"{_month()}/a.jpg", jpeg, describe=False)
    assert items.page(db).items == [item]


def _month() -> str:
    return time.strftime("%Y/%m", time.gmtime())


def test_orphan_sent_again_is_not_kept_twice(
    store: Store, db: Connection, add: Callable[..., Item], jpeg: Format
) -> None:
    orphan = store.original("2024/05/orphan.jpg")
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"again")
    item = add(b"again", "orphan.jpg")
    assert uploads.orphans(db, store, older_than_seconds=0) == ["2024/05/orphan.jpg"]
    assert uploads.adopt(db, store, "2024/05/orphan.jpg", jpeg, describe=True) == (item, True, [])
    assert list(store.originals()) == [item.path]
    assert uploads.adopt(db, store, item.path, jpeg, describe=True) == (item, True, [])
    assert list(store.originals()) == [item.path]


def test_empty_file_of_a_crash_is_cleared(data: Path, db: Connection, store: Store) -> None:
    script = UPLOADER + "os.replace = lambda *_: os._exit(9)\nupload(b'x')"
    assert subprocess.run([sys.executable, "-c", script, str(data)], timeout=60).returncode == 9
    assert [store.original(path).stat().st_size for path in store.originals()] == [0]
    assert uploads.orphans(db, store, older_than_seconds=0) == []
    assert list(store.originals()) == []
    assert store.sweep(0) == 1


def test_killed_at_any_moment_no_acknowledged_upload_is_lost(data: Path, path: Path, store: Store) -> None:
    """A process uploads without a pause and is killed; what it acknowledged is there, whole, once."""
    script = (
        UPLOADER + "for n in range(100_000):\n    print(upload(f'{sys.argv[2]} {n}'.encode())[0].sha256, flush=True)"
    )
    acknowledged: list[str] = []
    for turn in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(data), str(turn)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        with process.stdout as lines:
            for _ in range(5 + turn):
                acknowledged.append(next(lines).strip())
            process.kill()
            acknowledged.extend(line.strip() for line in lines if line.endswith("\n"))
        process.wait(60)
    with closing(database.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert statuses.disagreements(db) == []
        for sha256 in acknowledged:
            item = items.find_by_sha256(db, sha256)
            assert item is not None
            assert hashlib.sha256(store.original(item.path).read_bytes()).hexdigest() == sha256
            assert len(jobs.open_for(db, item.id)) == 2
        listed = db.execute("SELECT json_group_array(path) FROM items").fetchone()[0]
        for orphan in uploads.orphans(db, store, older_than_seconds=0):
            assert orphan not in json.loads(listed)
            assert store.original(orphan).read_bytes()
    store.sweep(0)
    assert list((data / "incoming").iterdir()) == []


def test_row_comes_after_the_file_is_on_the_disk(
    db: Connection, add: Callable[..., Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda source, target: (steps.append("rename"), replace(source, target)))
    add(b"first of its month")
    steps.clear()
    db.set_trace_callback(lambda sql: steps.append(sql.split()[0]))
    add(b"x")
    told = [step for step in steps if step in {"fsync", "rename", "BEGIN", "COMMIT"}]
    assert told == ["fsync", "rename", "fsync", "BEGIN", "COMMIT"]


def test_a_scene_that_was_left_behind_is_no_orphan_but_a_photo_of_that_name_is(
    db: Connection, store: Store, data: Path
) -> None:
    (data / "originals/2024").mkdir(parents=True)
    (data / "originals/2024/shoebox-try.png").write_bytes(cli_try.scene())
    (data / "originals/2024/shoebox-try-2.png").write_bytes(b"\x89PNG\r\n\x1a\n of somebody's")
    assert uploads.orphans(db, store, older_than_seconds=0) == ["2024/shoebox-try-2.png"]
    assert sorted(path.name for path in (data / "originals/2024").iterdir()) == ["shoebox-try-2.png"]
