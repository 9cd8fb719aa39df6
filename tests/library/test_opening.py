"""Opening a library at a start: begun once, never in the place of one that is gone, and never trusted when damaged."""

import fcntl
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import DamagedLibraryError, LibraryError
from appliance.library import backups, database, items, marker, notices, opening, recovery, schema, uploads
from appliance.library.marker import Presence
from appliance.library.memory import Memory
from appliance.library.store import Store
from appliance.records import Format, Kind
from appliance.settings import Settings, load

UTC = ZoneInfo("UTC")
JPEG = Format(Kind.PHOTO, "image/jpeg", "JPEG")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a box with a memory of its own."""
    return replace(settings, state=tmp_path / "state")


@pytest.fixture
def open_once(settings: Settings) -> Callable[..., str]:
    """Open the library as a process does that serves it, and close it again; return its id."""

    def open_once(data: Path = settings.data) -> str:
        with opening.opened(replace(settings, data=data), UTC):
            pass
        return str(marker.read(data))

    return open_once


def add(data: Path, content: bytes) -> None:
    """Upload a file, as the page does."""
    store = Store(data)
    store.prepare()
    with closing(database.connect(data / "library.db")) as db, store.receive() as incoming:
        incoming.write(content)
        uploads.accept(db, store, incoming, f"{content.decode()}.jpg", JPEG, describe=True)


def names(data: Path) -> list[str]:
    """The names of the items, and proof that the database can be read."""
    with closing(database.connect(data / "library.db")) as db:
        assert database.problems(db) == []
        return sorted(item.name for item in items.every(db))


def notice(data: Path) -> str:
    """What the page says of the library."""
    with closing(database.connect(data / "library.db")) as db:
        return " ".join(one.text for one in notices.standing(db))


def back_up(data: Path, now: float = 1_777_774_200.0) -> Path:
    """Make a backup: on 3 May 2026 at 02:10, by default."""
    with closing(database.connect(data / "library.db")) as db:
        made = backups.make(db, data, now=now, kept=7)
    assert made is not None
    return made


def listing(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path), path.read_bytes() if path.is_file() else b"") for path in sorted(folder.rglob("*"))]


# Which library


@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
def test_a_first_start_begins_a_library_and_marks_folder_database_and_box(
    settings: Settings, open_once: Callable[..., str], there: bool
) -> None:
    if not there:
        settings.data.rmdir()
    library = open_once()
    assert json.loads((settings.data / "shoebox.json").read_text()) == {"library": library, "layout": 1}
    with closing(database.connect(settings.data / "library.db")) as db:
        assert marker.in_database(db) == library
        assert notices.standing(db) == []
    assert Memory(settings.state, settings.data).library() == library
    assert open_once() == library


def test_a_start_that_finds_all_well_writes_nothing(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    files = [settings.data / "shoebox.json", settings.data / "library.db", *settings.state.iterdir()]
    before = [(file.stat().st_mtime_ns, file.stat().st_ino) for file in files]
    open_once()
    assert [(file.stat().st_mtime_ns, file.stat().st_ino) for file in files] == before


def test_no_library_is_begun_below_a_folder_that_is_not_there(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    with pytest.raises(LibraryError, match="no folder"):
        open_once(settings.data / "disk" / "library")
    assert list(settings.data.iterdir()) == []


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "only a lock and an empty database"])
def test_a_library_that_is_gone_is_not_begun_anew(settings: Settings, open_once: Callable[..., str], left: str) -> None:
    """An unmounted disk leaves an empty folder."""
    open_once()
    settings.data.rename(settings.data.with_name("elsewhere"))
    if left != "nothing":
        settings.data.mkdir()
    if left.startswith("only"):
        (settings.data / "library.db").touch()
        (settings.data / "library.db.lock").touch()
    before = listing(settings.data)
    with pytest.raises(LibraryError, match="is not there") as caught:
        open_once()
    assert "`shoebox library new`" in caught.value.next_step
    assert listing(settings.data) == before
    assert settings.data.exists() == (left != "nothing")
    shutil.rmtree(settings.data, ignore_errors=True)
    settings.data.with_name("elsewhere").rename(settings.data)  # the disk is attached again
    open_once()


def test_a_new_library_can_be_begun_where_one_is_gone_for_good(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    first = open_once()
    with pytest.raises(LibraryError, match="holds a library"):
        opening.begin_anew(settings)
    shutil.rmtree(settings.data)
    second = opening.begin_anew(settings)
    assert second != first
    assert open_once() == second


def test_another_library_than_last_time_is_refused_until_it_is_adopted(
    settings: Settings, open_once: Callable[..., str], tmp_path: Path
) -> None:
    open_once()
    add(settings.data, b"ours")
    other = tmp_path / "other"
    theirs = open_once(other)
    add(other, b"theirs")
    settings.data.rename(tmp_path / "ours")
    other.rename(settings.data)
    before = listing(settings.data)
    with pytest.raises(LibraryError, match="another library than last time") as caught:
        open_once()
    with pytest.raises(LibraryError, match="another library than last time"), opening.visited(settings):
        pass
    assert "`shoebox library adopt`" in caught.value.next_step
    assert listing(settings.data) == before
    assert opening.adopt(settings) == theirs
    assert open_once() == theirs
    assert names(settings.data) == ["theirs.jpg"]


def test_a_database_of_another_library_is_refused(
    settings: Settings, open_once: Callable[..., str], tmp_path: Path
) -> None:
    open_once()
    theirs = open_once(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "library.db", settings.data / "library.db")
    with pytest.raises(LibraryError, match="belongs to another library"):
        open_once()
    opening.adopt(settings)
    assert open_once() == theirs


def test_an_older_library_is_given_its_marker(settings: Settings, open_once: Callable[..., str]) -> None:
    database.migrate(settings.data / "library.db")
    with closing(database.connect(settings.data / "library.db")) as db:
        db.executescript("DROP TABLE identity; DELETE FROM _sqlite_migrations WHERE name = '003_identity'")
    add(settings.data, b"old")
    library = open_once()
    assert names(settings.data) == ["old.jpg"]
    (settings.data / "shoebox.json").unlink()
    assert open_once() == library
    (settings.data / "shoebox.json").write_text("")
    assert open_once() == library


def test_a_folder_laid_out_by_a_newer_shoebox_is_refused(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    (settings.data / "shoebox.json").write_text('{"library": "x", "layout": 2}')
    with pytest.raises(LibraryError, match="newer Shoebox"):
        open_once()


def test_a_box_that_cannot_remember_says_so_and_runs(
    settings: Settings, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    forgetful = replace(settings, state=tmp_path / "file" / "state")
    with opening.opened(forgetful, UTC):
        pass
    assert caplog.text.count("cannot remember") == 1
    with opening.opened(forgetful, UTC):
        pass


@pytest.mark.parametrize("note", ["", "{}", "[1]", '{"library": 1}', '{"library": "x", "data": "elsewhere"}'])
def test_a_note_that_cannot_be_read_is_no_note(settings: Settings, open_once: Callable[..., str], note: str) -> None:
    library = open_once()
    next(settings.state.iterdir()).write_text(note)
    assert open_once() == library
    assert Memory(settings.state, settings.data).library() == library


# Whether it is there still


def test_presence_tells_a_library_that_is_gone_or_another_and_its_return(
    settings: Settings, open_once: Callable[..., str], tmp_path: Path
) -> None:
    open_once()
    open_once(tmp_path / "other")
    presence = Presence(settings.data)
    presence.check()
    settings.data.rename(tmp_path / "away")
    with pytest.raises(LibraryError, match="no longer in"):
        presence.check()
    settings.data.mkdir()
    with pytest.raises(LibraryError, match="no longer in"):
        presence.check()
    settings.data.rmdir()
    (tmp_path / "other").rename(settings.data)
    with pytest.raises(LibraryError, match="another library now"):
        presence.check()
    settings.data.rename(tmp_path / "other")
    (tmp_path / "away").rename(settings.data)
    presence.check()


# Whether its database is sound


def overwrite(path: Path, at: float, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * at) // 4096 * 4096)
        file.write(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "zero length": lambda path: os.truncate(path, 0),
    "gone": lambda path: path.unlink(),
    "garbage in the middle": lambda path: overwrite(path, 0.3, random.Random(1).randbytes(64 << 10)),
    "garbage in the header": lambda path: overwrite(path, 0, random.Random(2).randbytes(4096)),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "a text file": lambda path: path.write_text("This was a database once. " * 400),
    "an empty database": lambda path: shutil.copy(empty(path.with_name("empty")), path),
}


def empty(path: Path) -> Path:
    import sqlite3

    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")
    return path


def damage(data: Path, kind: str) -> None:
    with closing(database.connect(data / "library.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    DAMAGE[kind](data / "library.db")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of forty items, several pages of each table, with a backup of them and one item more."""
    data = tmp_path_factory.mktemp("filled") / "data"
    with opening.opened(load({}, Path("/none"), {"data": str(data), "state": str(data.with_name("state"))}), UTC):
        for number in range(40):
            add(data, b"kept%d" % number)
        back_up(data)
        add(data, b"later")
    return data


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_database_is_restored_from_the_backup(
    settings: Settings, open_once: Callable[..., str], filled: Path, kind: str
) -> None:
    shutil.copytree(filled, settings.data, dirs_exist_ok=True)
    library = marker.read(filled)
    damage(settings.data, kind)
    assert open_once() == library
    assert names(settings.data) == sorted(f"kept{number}.jpg" for number in range(40))
    said = notice(settings.data)
    assert "was restored from the backup of 3 May 2026, 02:10. Photos and videos that it does not list" in said
    with closing(database.connect(settings.data / "library.db")) as db:
        assert marker.in_database(db) == library
        assert recovery.pending(db) is not None
    aside = [path.name for path in settings.data.glob("library.db.damaged-*")]
    assert len(aside) == (0 if kind == "gone" else 1)
    before = (settings.data / "library.db").read_bytes()
    open_once()  # once is enough
    assert (settings.data / "library.db").read_bytes() == before


def test_damage_that_only_a_job_meets_is_restored_once_it_is_told(
    settings: Settings, open_once: Callable[..., str], filled: Path
) -> None:
    shutil.copytree(filled, settings.data, dirs_exist_ok=True)
    path = settings.data / "library.db"
    with closing(database.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sha256 = db.execute("SELECT sha256 FROM items WHERE id = 9").fetchone()[0].encode()
    content = path.read_bytes()
    places = [at for at in range(len(content)) if content.startswith(sha256, at)]
    assert len(places) == 2  # in the table and in its index
    path.write_bytes(content[: places[0] + 63] + b"!" + content[places[0] + 64 :])
    open_once()
    assert not list(settings.data.glob("library.db.damaged-*"))  # a quick look sees nothing
    opening.call_for_restart(settings.data)
    open_once()
    assert len(names(settings.data)) == 40
    assert "was damaged and was restored" in notice(settings.data)
    assert not opening.is_called_for(settings.data)


def test_a_damaged_search_index_is_made_anew(settings: Settings, open_once: Callable[..., str], filled: Path) -> None:
    shutil.copytree(filled, settings.data, dirs_exist_ok=True)
    with closing(database.connect(settings.data / "library.db")) as db:
        db.execute("UPDATE items_fts_data SET block = zeroblob(length(block)) WHERE id > 10")
    opening.call_for_restart(settings.data)
    open_once()
    assert len(names(settings.data)) == 41
    with closing(database.connect(settings.data / "library.db")) as db:
        db.execute("INSERT INTO items_fts (items_fts) VALUES ('integrity-check')")
        assert db.execute("SELECT count(*) FROM items_fts WHERE items_fts MATCH 'later'").fetchone()[0] == 1


def test_without_a_good_backup_a_fresh_database_says_what_is_lost(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    library = open_once()
    add(settings.data, b"one")
    os.truncate(back_up(settings.data), 5000)
    damage(settings.data, "cut in half")
    assert open_once() == library
    assert names(settings.data) == []
    assert "there was no backup" in notice(settings.data)
    assert [path.read_bytes() for path in settings.data.glob("originals/*/*/one.jpg")] == [b"one"]


def test_a_damaged_backup_is_passed_over(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    add(settings.data, b"one")
    back_up(settings.data, 1e9)
    add(settings.data, b"two")
    overwrite(back_up(settings.data, 2e9), 0.3, random.Random(3).randbytes(32 << 10))
    damage(settings.data, "a text file")
    open_once()
    assert names(settings.data) == ["one.jpg"]


def test_originals_without_a_database_are_taken_for_a_library(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    (settings.data / "originals" / "2024").mkdir(parents=True)
    (settings.data / "originals" / "2024" / "one.jpg").write_bytes(b"one")
    open_once()
    assert "Every photo and video is kept" in notice(settings.data)


def test_folders_of_others_do_not_hinder_a_first_start(settings: Settings, open_once: Callable[..., str]) -> None:
    for name in ("lost+found", "models", "originals"):
        (settings.data / name).mkdir()
    open_once()
    assert notice(settings.data) == ""


def test_a_start_that_was_cut_off_leaves_a_first_start(settings: Settings, open_once: Callable[..., str]) -> None:
    (settings.data / "library.db").touch()
    open_once()
    assert notice(settings.data) == ""


def test_numbers_given_out_since_the_backup_are_not_given_again(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    open_once()
    add(settings.data, b"kept")
    back_up(settings.data)
    add(settings.data, b"later")
    with closing(database.connect(settings.data / "library.db")) as db:
        given, revision = max(item.id for item in items.every(db)), items.revision(db)
    damage(settings.data, "cut in half")
    open_once()
    add(settings.data, b"another")
    with closing(database.connect(settings.data / "library.db")) as db:
        assert max(item.id for item in items.every(db)) > given
        assert items.revision(db) > revision


def test_a_lost_log_costs_no_more_than_what_was_in_it(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    add(settings.data, b"one")
    with closing(database.connect(settings.data / "library.db")) as db:
        items.revision(db)
        add(settings.data, b"two")
        before = (settings.data / "library.db").read_bytes()
        assert (settings.data / "library.db-wal").stat().st_size > 0
    (settings.data / "library.db").write_bytes(before)
    open_once()
    assert names(settings.data) == ["one.jpg"]
    assert list(settings.data.glob("library.db.damaged-*")) == []


def test_a_library_of_a_newer_shoebox_is_refused_and_left_alone(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    open_once()
    back_up_of = settings.data / "library.db"
    with closing(database.connect(back_up_of)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('library', '999_new', 'x')"
        )
    with pytest.raises(LibraryError, match="newer Shoebox"):
        open_once()
    assert list(settings.data.glob("library.db.*-20*")) == []


@pytest.mark.parametrize("fault", [("disk I/O error", 10, "disk gives errors"), ("database is locked", 5, "busy")])
def test_what_is_no_damage_sets_nothing_aside(
    settings: Settings, open_once: Callable[..., str], monkeypatch: pytest.MonkeyPatch, fault: tuple[str, int, str]
) -> None:
    import sqlite3

    open_once()
    add(settings.data, b"one")
    back_up(settings.data)
    text, code, said = fault

    def fail(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError(text)
        error.sqlite_errorcode = code
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("appliance.library.damage.sqlite3.connect", fail)
        with pytest.raises(LibraryError, match=said):
            open_once()
    assert list(settings.data.glob("library.db.*-20*")) == []
    open_once()
    assert names(settings.data) == ["one.jpg"]


SERVER = """
import sys
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo
from appliance import settings
from appliance.library import opening
given = settings.load({}, Path("/none"), {"data": sys.argv[1], "state": sys.argv[2]})
with opening.opened(given, ZoneInfo("UTC")):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start a process that holds the library open until its standard input is closed."""
    started = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SERVER, str(settings.data), str(settings.state)]
        started.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.communicate(timeout=60)


def test_who_is_just_stopping_is_waited_for(
    settings: Settings, open_once: Callable[..., str], serve: Callable[[], subprocess.Popen[str]]
) -> None:
    open_once()
    page = serve()
    assert page.stdout is not None
    assert page.stdout.readline() == "open\n"
    stopping = threading.Timer(0.5, page.terminate)
    stopping.start()
    opening.adopt(settings)
    stopping.join()


def test_a_database_is_not_replaced_under_a_process_that_has_it_open(
    settings: Settings,
    open_once: Callable[..., str],
    serve: Callable[[], subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_once()
    add(settings.data, b"one")
    back_up(settings.data)
    page = serve()
    assert page.stdout is not None
    assert page.stdout.readline() == "open\n"
    damage(settings.data, "cut in half")
    opening.call_for_restart(settings.data)  # somebody has met the damage
    with pytest.raises(DamagedLibraryError) as caught:
        open_once()
    assert "Stop Shoebox and start it again" in caught.value.next_step
    monkeypatch.setattr(opening, "_STOPPING", 0.2)
    with pytest.raises(LibraryError, match="Shoebox is running"):
        opening.restore(settings, backups.listed(settings.data)[0], UTC)
    assert list(settings.data.glob("library.db.damaged-*")) == []
    page.communicate(timeout=60)
    open_once()
    assert names(settings.data) == ["one.jpg"]
    assert not opening.is_called_for(settings.data)


def test_processes_that_start_at_once_restore_once(
    settings: Settings, open_once: Callable[..., str], serve: Callable[[], subprocess.Popen[str]]
) -> None:
    open_once()
    add(settings.data, b"one")
    back_up(settings.data)
    damage(settings.data, "garbage in the header")
    processes = [serve() for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
    assert names(settings.data) == ["one.jpg"]
    assert len(list(settings.data.glob("library.db.damaged-*"))) == 1
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert sum("database was damaged" in text for text in said) == 1


def test_a_power_cut_while_restoring_leaves_the_former_or_the_new_one(
    settings: Settings, open_once: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at each rename in turn."""
    open_once()
    add(settings.data, b"one")
    back_up(settings.data)
    rename, cuts = os.replace, 0
    for last in range(1, 6):
        damage(settings.data, "cut in half")
        calls = 0

        def cut(source: object, target: object, last: int = last) -> None:
            nonlocal calls, cuts
            calls += 1
            if calls == last:
                cuts += 1
                raise KeyboardInterrupt
            rename(source, target)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", cut)
            try:
                open_once()
            except KeyboardInterrupt:
                pass
        open_once()
        assert names(settings.data) == ["one.jpg"]
        assert "was restored from the backup" in notice(settings.data)
    assert cuts >= 2


# By hand


def test_restoring_goes_back_and_keeps_what_it_replaces(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    add(settings.data, b"one")
    backup = back_up(settings.data)
    add(settings.data, b"two")
    aside = opening.restore(settings, backup, UTC)
    open_once()
    assert names(settings.data) == ["one.jpg"]
    assert "put back to the backup of 3 May 2026, 02:10" in notice(settings.data)
    assert aside is not None
    assert ".replaced-" in aside.name
    shutil.copy(aside, settings.data / "library.db")
    assert names(settings.data) == ["one.jpg", "two.jpg"]


def test_a_backup_of_another_library_is_refused_and_passed_over(
    settings: Settings, open_once: Callable[..., str]
) -> None:
    open_once()
    add(settings.data, b"one")
    backup = back_up(settings.data)
    with closing(sqlite3.connect(backup)) as db, db:
        db.execute("UPDATE identity SET library = 'another'")
    with pytest.raises(LibraryError, match="backup of another library"):
        opening.restore(settings, backup, UTC)
    assert names(settings.data) == ["one.jpg"]
    (settings.data / "library.db").write_bytes(b"damaged" * 1000)
    open_once()
    assert "there was no backup" in notice(settings.data)


def test_only_the_newest_few_that_were_set_aside_are_kept(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    add(settings.data, b"one")
    backup = back_up(settings.data)
    for _ in range(5):
        opening.restore(settings, backup, UTC)
    assert len(list(settings.data.glob("library.db.replaced-*"))) == 3


def test_a_visit_begins_nothing(settings: Settings) -> None:
    with pytest.raises(LibraryError, match="There is no library in"), opening.visited(settings):
        pass
    assert list(settings.data.iterdir()) == []


def test_a_visit_to_an_older_library_changes_nothing_and_says_what_to_do(settings: Settings) -> None:
    database.migrate(settings.data / "library.db")
    with closing(database.connect(settings.data / "library.db")) as db:
        db.executescript("DROP TABLE identity; DELETE FROM _sqlite_migrations WHERE name = '003_identity'")
    before = listing(settings.data)
    with pytest.raises(LibraryError, match="Start Shoebox on it once"), opening.visited(settings):
        pass
    assert listing(settings.data) == before


def test_what_was_found_again_is_said_until_it_is_dismissed(settings: Settings, open_once: Callable[..., str]) -> None:
    open_once()
    add(settings.data, b"one")
    back_up(settings.data)
    damage(settings.data, "a text file")
    open_once()
    with closing(database.connect(settings.data / "library.db")) as db:
        restored = recovery.pending(db)
        assert restored is not None
        assert restored.before <= time.time()
        recovery.finish(db, 2)
        assert recovery.pending(db) is None
        assert "2 files were found that it did not list" in notice(settings.data)
        assert notices.dismiss(db, recovery.NOTICE)
        recovery.finish(db, 1)
        assert notices.standing(db) == []


def test_every_migration_has_its_own_name() -> None:
    assert len(dict(schema.MIGRATIONS)) == len(schema.MIGRATIONS)


def test_the_lock_goes_with_its_process(settings: Settings, serve: Callable[[], subprocess.Popen[str]]) -> None:
    page = serve()
    assert page.stdout is not None
    assert page.stdout.readline() == "open\n"
    with (settings.data / "in-use.lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        page.kill()
        page.wait(60)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
