"""The nightly batches on a driven clock: each night once, whatever the clock, the power and the calendar do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.library import history, items, jobs, notices, preferences, statuses
from appliance.records import Facts, Format, Kind, Priority, Status, Task
from appliance.settings import DAYS, Settings
from appliance.work.schedule import BATCHES, Batch, Household, end_night, run_batch, slot

Box = Any
PHOTOS, VIDEOS = BATCHES
BERLIN = ZoneInfo("Europe/Berlin")
SIX = time(6)


class Night:
    """A household whose clock is driven by the test."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self.moment, self.in_step = now, True
        self.household = Household(lambda: zone, lambda: self.moment, lambda: self.in_step)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-07-01T01:59:59", None),
        ("2026-07-01T02:00:00", "2026-07-01"),
        ("2026-07-01T05:59:59", "2026-07-01"),
        ("2026-07-01T06:00:00", None),
    ],
)
def test_a_window_is_from_its_start_to_six(now: str, night: str | None) -> None:
    found = slot(time(2), at(now), BERLIN, SIX)
    assert (found and found.isoformat()) == night


def test_a_window_may_reach_over_midnight() -> None:
    assert slot(time(23), at("2026-07-01T23:30:00"), BERLIN, SIX) == date(2026, 7, 1)
    assert slot(time(23), at("2026-07-02T05:00:00"), BERLIN, SIX) == date(2026, 7, 1)
    assert slot(time(23), at("2026-07-02T07:00:00"), BERLIN, SIX) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: batch.name)
def test_every_day_of_a_year_has_each_slot_once(zone: str, batch: Batch, settings: Settings) -> None:
    start = time.fromisoformat(batch.starts(settings))
    place = ZoneInfo(zone)
    now = datetime(2025, 12, 31, tzinfo=place).astimezone(UTC)
    end = datetime(2027, 1, 2, tzinfo=place).astimezone(UTC)
    nights: list[date] = []
    while now < end:
        found = slot(start, now, place, SIX)
        if found is not None and (not nights or found != nights[-1]):
            nights.append(found)
        now += timedelta(minutes=7)
    days = [date(2025, 12, 31) + timedelta(days=day) for day in range(len(nights))]
    assert nights == days
    assert len(nights) in (367, 368)


@pytest.fixture
def asleep(box: Box) -> Box:
    """A library with pictures that wait for the night."""
    box.first = box.upload("red", note="2", describe=False, now=2000)
    box.oldest = box.upload("red", note="1", describe=False, now=1000)
    return box


def night_of(box: Box, night: Night, batch: Batch = PHOTOS, **changes: Any) -> list[int]:
    """Run the batch and return the items that it wants described, in their order."""
    queued = run_batch(box.db, replace(box.settings, **changes), batch, night.household)
    return [job.item_id for job in queued if job.task is Task.DESCRIBE]


def test_what_waits_is_queued_oldest_first_and_once_a_night(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T02:00:30"))
    assert night_of(asleep, night) == [asleep.oldest.id, asleep.first.id]
    assert {job.priority for job in jobs.open_for(asleep.db, asleep.first.id) if job.task is Task.DESCRIBE} == {
        Priority.NIGHTLY
    }
    asleep.upload("red", note="3", describe=False)
    assert night_of(asleep, night) == []
    night.moment = at("2026-07-02T04:00:00")  # the power was off at two
    assert len(night_of(asleep, night)) == 1


def test_videos_have_their_own_slot(asleep: Box) -> None:
    asleep.db.execute("UPDATE items SET kind = 'video' WHERE id = ?", (asleep.first.id,))
    night = Night(BERLIN, at("2026-07-01T02:10:00"))
    assert night_of(asleep, night, VIDEOS) == []
    assert night_of(asleep, night, PHOTOS) == [asleep.oldest.id]
    night.moment = at("2026-07-01T02:30:00")
    assert night_of(asleep, night, VIDEOS) == [asleep.first.id]


def test_a_batch_takes_no_more_than_its_size(asleep: Box) -> None:
    assert night_of(asleep, Night(BERLIN, at("2026-07-01T03:00:00")), batch_size=1) == [asleep.oldest.id]


def test_nothing_runs_before_the_clock_is_set(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T03:00:00"))
    night.in_step = False
    assert night_of(asleep, night) == []
    night.in_step = True
    assert len(night_of(asleep, night)) == 2


def test_nothing_runs_by_day_or_where_it_is_not_wanted(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T12:00:00"))
    assert night_of(asleep, night) == []
    night.moment = at("2026-07-02T03:00:00")
    preferences.set(asleep.db, "scheduled_processing", False)
    assert night_of(asleep, night) == []
    preferences.set(asleep.db, "scheduled_processing", True)  # takes effect at once
    assert len(night_of(asleep, night)) == 2


def test_the_settings_say_when_and_a_change_counts_at_once(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T13:30:00"))  # a Wednesday
    assert night_of(asleep, night) == []
    preferences.set(asleep.db, "window_end", "13:15")
    preferences.set(asleep.db, "photos_at", "13:00")
    assert night_of(asleep, night) == []
    preferences.set(asleep.db, "window_end", "14:00")
    assert len(night_of(asleep, night)) == 2


def test_videos_wait_for_their_own_setting(asleep: Box) -> None:
    asleep.db.execute("UPDATE items SET kind = 'video' WHERE id = ?", (asleep.first.id,))
    night = Night(BERLIN, at("2026-07-01T03:00:00"))
    preferences.set(asleep.db, "videos_at", "03:01")
    assert night_of(asleep, night, VIDEOS) == []
    preferences.set(asleep.db, "videos_at", "03:00")
    assert night_of(asleep, night, VIDEOS) == [asleep.first.id]


def test_only_the_nights_that_begin_on_a_chosen_day(asleep: Box) -> None:
    preferences.set(asleep.db, "nightly_days", "fri,sat")
    preferences.set(asleep.db, "photos_at", "23:00")
    night = Night(BERLIN, at("2026-07-02T23:30:00"))  # a Thursday
    assert night_of(asleep, night) == []
    night.moment = at("2026-07-03T02:00:00")  # still Thursday's night
    assert night_of(asleep, night) == []
    night.moment = at("2026-07-04T02:00:00")  # still Friday's
    assert len(night_of(asleep, night)) == 2


def test_days_are_named_as_python_counts_them() -> None:
    assert [f"{date(2026, 6, 29) + timedelta(days=day):%a}".lower() for day in range(7)] == list(DAYS)


def test_the_chosen_time_zone_goes_before_the_boxs_own(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T03:00:00", ZoneInfo("Asia/Kolkata")))
    assert night_of(asleep, night) == []
    preferences.set(asleep.db, "time_zone", "Asia/Kolkata")
    assert len(night_of(asleep, night)) == 2


def test_what_is_described_or_asked_for_already_is_left_alone(asleep: Box) -> None:
    items.set_facts(asleep.db, asleep.first.id, Facts(Format(Kind.PHOTO, "image/png", "PNG"), 1, 1))
    jobs.enqueue(asleep.db, asleep.first.id, Task.DESCRIBE, Priority.PERSON, now=0)
    assert night_of(asleep, Night(BERLIN, at("2026-07-01T03:00:00"))) == [asleep.oldest.id]
    assert asleep.item(asleep.first).status is Status.PENDING


def test_a_real_worker_runs_the_night_by_itself(asleep: Box) -> None:
    asleep.start(night="2026-07-01T03:00:00+00:00")
    asleep.wait(asleep.first, Status.COMPLETED)
    asleep.wait(asleep.oldest, Status.COMPLETED)


def test_a_change_of_the_hour_counts_in_a_running_worker(asleep: Box) -> None:
    asleep.tell("now", "2026-07-01T12:00:00+00:00")
    process = asleep.start()
    asked = asleep.upload("purple")  # by the time this is done the worker has asked whether a batch is due
    asleep.wait(asked, Status.COMPLETED)
    assert asleep.item(asleep.oldest).status is Status.PENDING
    preferences.set_all(asleep.db, {"photos_at": "11:00", "window_end": "13:00"})
    for item in (asleep.oldest, asleep.first):
        asleep.wait(item, Status.COMPLETED)
    assert process.poll() is None


def test_a_night_that_is_held_back_by_the_clock_is_said_until_it_is_set(
    asleep: Box, until: Callable[..., None]
) -> None:
    unset = asleep.settings.data / "nobody-set-the-clock"
    unset.touch()
    asleep.tell("now", "2026-07-01T03:00:00+00:00")
    asleep.start()
    until(lambda: [one.name for one in notices.standing(asleep.db)] == ["clock"], "the notice")
    assert asleep.item(asleep.oldest).status is Status.PENDING
    unset.unlink()
    asleep.wait(asleep.oldest, Status.COMPLETED)
    until(lambda: notices.standing(asleep.db) == [], "the notice to go")


def nightly(box: Box) -> int:
    """Return how many descriptions wait, or are under way, that a batch has queued."""
    row = box.db.execute(
        "SELECT count(*) FROM jobs WHERE task = 'describe' AND priority = ? AND state IN ('queued', 'running')",
        (Priority.NIGHTLY,),
    )
    return int(row.fetchone()[0])


def test_what_is_not_begun_when_the_night_is_over_waits_for_the_next(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T02:00:00"))
    assert len(night_of(asleep, night)) == 2
    night.moment = at("2026-07-01T05:59:59")
    assert end_night(asleep.db, asleep.settings, night.household) == 0
    night.moment = at("2026-07-01T06:00:00")
    assert end_night(asleep.db, asleep.settings, night.household) == 2
    assert nightly(asleep) == 0
    assert {asleep.item(one).status for one in (asleep.first, asleep.oldest)} == {Status.PENDING}
    assert statuses.disagreements(asleep.db) == []
    night.moment = at("2026-07-02T02:00:00")
    assert night_of(asleep, night) == [asleep.oldest.id, asleep.first.id]


def test_the_end_of_the_night_writes_nothing_by_day(asleep: Box) -> None:
    before = asleep.db.total_changes
    assert end_night(asleep.db, asleep.settings, Night(BERLIN, at("2026-07-01T12:00:00")).household) == 0
    assert asleep.db.total_changes == before


def test_what_somebody_asked_for_or_was_tried_already_outlasts_the_night(asleep: Box) -> None:
    tried = asleep.upload("red", note="tried", describe=False, now=500)
    night = Night(BERLIN, at("2026-07-01T02:00:00"))
    assert len(night_of(asleep, night)) == 3
    jobs.enqueue(asleep.db, asleep.first.id, Task.DESCRIBE, Priority.PERSON, now=0)
    asleep.db.execute("UPDATE jobs SET attempts = 1 WHERE task = 'describe' AND item_id = ?", (tried.id,))
    night.moment = at("2026-07-01T08:00:00")
    assert end_night(asleep.db, asleep.settings, night.household) == 1
    assert jobs.asked_for(asleep.db, [asleep.first.id, asleep.oldest.id, tried.id]) == {asleep.first.id, tried.id}


def test_what_somebody_made_more_urgent_counts_for_the_night_that_asked_for_it(asleep: Box) -> None:
    film = asleep.upload("red", note="film", describe=False, now=500)
    night = Night(BERLIN, at("2026-07-01T02:00:00"))
    assert len(night_of(asleep, night)) == 3
    jobs.enqueue(asleep.db, asleep.first.id, Task.DESCRIBE, Priority.PERSON, now=0)
    night.moment = at("2026-07-02T02:00:00")
    night_of(asleep, night)  # whatever is left of the first night is no result of the second
    for item, state in ((asleep.first, "done"), (film, "failed")):
        asleep.db.execute(
            "UPDATE jobs SET state = ?, started_at = 1, finished_at = 2 WHERE task = 'describe' AND item_id = ?",
            (state, item.id),
        )
    by_day = asleep.upload("red", note="by day")
    asleep.db.execute("UPDATE jobs SET state = 'done', finished_at = 3 WHERE item_id = ?", (by_day.id,))
    told = [(one.night, one.asked, one.described, one.failed) for one in history.nights(asleep.db, 2)]
    assert told == [("2026-07-02", 0, 0, 0), ("2026-07-01", 3, 1, 1)]


def test_all_that_failed_is_tried_again_by_day(asleep: Box) -> None:
    asleep.db.execute("UPDATE items SET status = 'failed'")
    assert jobs.retry_failed(asleep.db, now=0) == 2
    assert end_night(asleep.db, asleep.settings, Night(BERLIN, at("2026-07-01T12:00:00")).household) == 0


def test_the_night_does_not_end_by_a_clock_that_is_not_set(asleep: Box) -> None:
    night = Night(BERLIN, at("2026-07-01T02:00:00"))
    assert len(night_of(asleep, night)) == 2
    night.moment, night.in_step = at("2026-07-01T12:00:00"), False
    assert end_night(asleep.db, asleep.settings, night.household) == 0
    night.in_step = True
    assert end_night(asleep.db, asleep.settings, night.household) == 2


def test_photos_and_videos_end_with_their_own_nights_and_where_nights_are_switched_off(asleep: Box) -> None:
    asleep.db.execute("UPDATE items SET kind = 'video' WHERE id = ?", (asleep.first.id,))
    night = Night(BERLIN, at("2026-07-01T03:00:00"))
    assert night_of(asleep, night) == [asleep.oldest.id]
    assert night_of(asleep, night, VIDEOS) == [asleep.first.id]
    preferences.set(asleep.db, "videos_at", "05:00")
    assert end_night(asleep.db, asleep.settings, night.household) == 1
    assert jobs.asked_for(asleep.db, [asleep.first.id, asleep.oldest.id]) == {asleep.oldest.id}
    preferences.set(asleep.db, "scheduled_processing", False)
    assert end_night(asleep.db, asleep.settings, night.household) == 1


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"], ids=["no 02:30", "02:30 twice"])
def test_a_night_on_which_the_clock_is_put_ends_when_the_clock_says_so(asleep: Box, day: str) -> None:
    preferences.set(asleep.db, "window_end", "04:00")
    night = Night(BERLIN, at(f"{day}T03:59:59"))
    assert len(night_of(asleep, night)) == 2
    assert end_night(asleep.db, asleep.settings, night.household) == 0
    night.moment = at(f"{day}T04:00:00")
    assert end_night(asleep.db, asleep.settings, night.household) == 2


def test_a_worker_that_is_started_by_day_leaves_the_rest_of_the_night_alone(asleep: Box) -> None:
    assert len(night_of(asleep, Night(BERLIN, at("2026-07-01T05:00:00")))) == 2  # and then the power was off
    asked = asleep.upload("purple", describe=False)
    jobs.enqueue(asleep.db, asked.id, Task.DESCRIBE, Priority.AGAIN, now=0)  # behind them, had they stayed
    asleep.start(night="2026-07-01T12:00:00+00:00")
    asleep.wait(asked, Status.COMPLETED)
    assert nightly(asleep) == 0
    assert {asleep.item(one).status for one in (asleep.first, asleep.oldest)} == {Status.PENDING}


def test_a_running_worker_ends_the_night_and_takes_up_the_rest_in_the_next(asleep: Box, until: Any) -> None:
    asleep.tell("now", "2026-07-01T05:00:00+00:00")
    (asleep.settings.data / "hold").touch()
    slow = asleep.upload("green", describe=False, now=1)
    asleep.start(replace(asleep.settings, processing_timeout=600))
    asleep.wait(slow, Status.PROCESSING)
    assert nightly(asleep) == 3
    asleep.tell("now", "2026-07-01T06:00:00+00:00")
    until(lambda: nightly(asleep) == 1, "the end of the night")
    assert asleep.item(slow).status is Status.PROCESSING  # what is begun is finished
    (asleep.settings.data / "hold").unlink()
    asleep.wait(slow, Status.COMPLETED)
    asleep.tell("now", "2026-07-02T02:00:00+00:00")
    for item in (asleep.oldest, asleep.first):
        asleep.wait(item, Status.COMPLETED)
