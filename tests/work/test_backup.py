"""The nightly backup on a driven clock, its failures on the page, and what a restored library finds again."""

import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import StorageFullError
from appliance.library import backups, database, items, notices, preferences, recovery
from appliance.records import Status
from appliance.work import backup
from appliance.work.adoption import take_in_forgotten
from appliance.work.aside import Aside
from appliance.work.backup import Nightly
from appliance.work.schedule import Household

Box = Any
BERLIN = ZoneInfo("Europe/Berlin")


class Nights:
    """The nightly backup of a box whose clock is driven by the test."""

    def __init__(self, box: Box, zone: ZoneInfo = BERLIN) -> None:
        self.box, self.zone, self.in_step, self.count = box, zone, True, 0
        self.now = datetime(2026, 5, 3, 12, tzinfo=zone).astimezone(UTC)
        self.nightly = self.started()

    def started(self) -> Nightly:
        household = Household(lambda: self.zone, lambda: self.now, lambda: self.in_step)
        return Nightly(self.box.settings, household)

    def at(self, text: str) -> list[str]:
        """Let it be this local time, and a minute's look; return what backups there are."""
        self.now = datetime.fromisoformat(text).replace(tzinfo=self.zone).astimezone(UTC)
        return self.look()

    def look(self) -> list[str]:
        if self.nightly.is_due(self.box.db):
            self.nightly.run(self.box.db)
        return [path.name[8:23] for path in reversed(backups.listed(self.box.settings.data))]

    def change(self) -> None:
        self.count += 1
        self.box.upload("red", note=str(self.count))


@pytest.fixture
def nights(box: Box) -> Nights:
    nights = Nights(box)
    nights.change()
    nights.look()
    return nights


def test_once_a_day_at_its_time(nights: Nights) -> None:
    assert nights.at("2026-05-03T20:00:00") == []
    assert nights.at("2026-05-04T01:29:00") == []
    assert nights.at("2026-05-04T01:30:00") == ["2026-05-03T2330"]
    nights.change()
    assert nights.at("2026-05-04T03:00:00") == ["2026-05-03T2330"]
    nights.nightly = nights.started()  # the worker was started again
    assert nights.at("2026-05-04T23:00:00") == ["2026-05-03T2330"]
    assert nights.at("2026-05-05T01:31:00") == ["2026-05-03T2330", "2026-05-04T2331"]


def test_a_box_that_is_off_at_night_makes_it_by_day(nights: Nights) -> None:
    assert nights.at("2026-05-05T18:00:00") == ["2026-05-05T1600"]
    nights.change()
    assert nights.at("2026-05-05T19:00:00") == ["2026-05-05T1600"]
    assert nights.at("2026-05-06T18:00:00") == ["2026-05-05T1600", "2026-05-06T1600"]


def test_it_does_not_hang_on_the_nightly_describing(nights: Nights) -> None:
    preferences.set(nights.box.db, "scheduled_processing", False)
    preferences.set(nights.box.db, "nightly_days", "sun")
    preferences.set(nights.box.db, "backup_at", "04:00")
    assert nights.at("2026-05-05T03:59:00") != []  # yesterday's, made up for
    nights.change()
    assert len(nights.at("2026-05-05T04:00:00")) == 2


def test_as_many_as_are_wanted_are_kept(nights: Nights) -> None:
    preferences.set(nights.box.db, "backups_kept", 2)
    for day in range(4, 9):
        nights.change()
        kept = nights.at(f"2026-05-0{day}T02:00:00")
    assert kept == ["2026-05-07T0000", "2026-05-08T0000"]


def test_none_before_the_clock_is_set_unless_nobody_ever_sets_it(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights.in_step = False
    assert nights.at("2026-05-04T02:00:00") == []
    began = time.monotonic()
    monkeypatch.setattr(backup.clock, "monotonic", lambda: began + backup.DAY)
    assert len(nights.look()) == 1


def test_a_clock_that_was_ahead_does_not_put_backups_off(nights: Nights) -> None:
    assert len(nights.at("2031-01-01T02:00:00")) == 1
    nights.change()
    assert len(nights.at("2026-05-04T12:00:00")) == 2


def test_each_day_of_a_year_has_one_where_the_clock_changes(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that changes daily; looked at every 20 minutes."""
    nights.zone = ZoneInfo("America/New_York")
    preferences.set(nights.box.db, "backup_at", "02:30")  # which the clock skips once, and shows around 01:30 twice
    made: list[datetime] = []

    def note(*_: object, **__: object) -> None:
        made.append(nights.now)

    monkeypatch.setattr(backups, "make", note)
    nights.at("2026-01-01T12:00:00")
    made.clear()
    for _ in range(365 * 72):
        nights.now += timedelta(minutes=20)
        if nights.nightly.is_due(nights.box.db):
            nights.nightly.run(nights.box.db)
    days = [moment.astimezone(nights.zone).date() for moment in made]
    assert len(days) == 365
    assert len(set(days)) == 365


def test_a_failure_is_on_the_page_until_the_next_good_one(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageFullError("There is no room for a backup.", "Make room; it is then made by itself.")

    with monkeypatch.context() as patch:
        patch.setattr(backups, "make", fail)
        nights.at("2026-05-04T02:00:00")
    (told,) = notices.standing(nights.box.db)
    assert (told.text, told.next_step, told.dismissible) == (
        "The backup of the library’s database failed. There is no room for a backup.",
        "Make room; it is then made by itself.",
        False,
    )
    assert nights.look() == []  # not at once again
    began = time.monotonic()
    monkeypatch.setattr(backup.clock, "monotonic", lambda: began + backup.RETRY)
    assert len(nights.look()) == 1
    assert notices.standing(nights.box.db) == []


def test_nothing_is_written_where_none_is_due(nights: Nights) -> None:
    nights.at("2026-05-04T02:00:00")
    before = nights.box.db.total_changes
    nights.at("2026-05-04T12:00:00")
    assert nights.box.db.total_changes == before


# Beside the main thread


def test_work_aside_goes_one_after_the_other_and_outlives_errors(box: Box, until: Any) -> None:
    aside = Aside(box.settings.data)
    done: list[str] = []
    gate = threading.Event()
    aside.do("first", lambda db: (gate.wait(30), done.append("first"), 1 / 0)[0])
    for number in range(3):
        aside.do("again", lambda db, number=number: done.append(f"again {number}"))
    gate.set()
    until(lambda: len(done) == 2)
    assert done == ["first", "again 2"]
    aside.stop()
    aside.do("late", lambda db: done.append("late"))
    assert len(done) == 2


def test_work_aside_is_interrupted_by_the_end(box: Box) -> None:
    aside = Aside(box.settings.data)
    begun = threading.Event()

    def endless(db: database.Connection) -> None:
        begun.set()
        db.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n").fetchall()

    aside.do("endless", endless)
    assert begun.wait(30)
    aside.stop()
    assert all(thread.name != "aside" for thread in threading.enumerate())


# After a restore


def restored(box: Box) -> None:
    """Upload two, back up after the first, and go back to that."""
    box.upload("red")
    copy = backups.make(box.db, box.settings.data, now=time.time(), kept=7)
    box.upload("purple")
    box.db.close()
    recovery.replace(box.settings.data, "x", copy, "It was restored.", now=time.time())
    box.db = database.connect(box.settings.data / "library.db")


def test_a_file_that_the_backup_does_not_list_is_found_at_once_and_one_under_way_is_let_be(box: Box) -> None:
    restored(box)
    assert [item.name for item in items.every(box.db)] == ["red.png"]
    time.sleep(0.05)
    folder: Path = next((box.settings.data / "originals").glob("*/*"))
    reserved = folder / "arriving.png"
    reserved.touch()  # an upload holds its name so
    take_in_forgotten(box.db, box.store, box.settings, lambda: True)
    assert [item.name for item in items.every(box.db)] == ["red.png", "purple.png"]
    assert reserved.exists()
    assert recovery.pending(box.db) is None
    (told,) = notices.standing(box.db)
    assert told.text == "It was restored. 1 file was found that it did not list."


def test_a_search_that_is_cut_off_is_begun_again(box: Box) -> None:
    restored(box)
    take_in_forgotten(box.db, box.store, box.settings, lambda: False)
    assert recovery.pending(box.db) is not None
    take_in_forgotten(box.db, box.store, box.settings, lambda: True)
    assert len(list(items.every(box.db))) == 2


def test_a_worker_finds_and_describes_what_the_backup_does_not_list(box: Box, until: Any) -> None:
    restored(box)
    with closing(database.connect(box.settings.data / "library.db")) as db:
        box.start()
        until(lambda: [item.status for item in items.every(db)] == [Status.COMPLETED] * 2)
