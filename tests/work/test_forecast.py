"""When it is done: worked out by hand for nights that a reader can count."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.library import jobs, preferences, schedule
from appliance.records import Kind, Status
from appliance.settings import Settings
from appliance.work import forecast
from appliance.work.forecast import Forecast, coming
from appliance.work.schedule import BATCHES

PHOTOS, VIDEOS = BATCHES
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 6, 29)


def of(photos: float | None, videos: float | None) -> dict[Kind, Any]:
    return {Kind.PHOTO: photos, Kind.VIDEO: videos}


NONE = of(0, 0)
NIGHTS = of(MONDAY, MONDAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "pace", "changes", "seconds"),
    [
        (of(120, 0), of(2.0, None), {}, 240.0),
        (of(120, 3), of(2.0, 60.0), {}, 420.0),
        (of(120, 3), of(2.0, 60.0), {"workers": 2}, 210.0),
        (of(120, 3), of(2.0, None), {}, None),  # no video was measured yet
        (of(0, 0), of(2.0, 60.0), {}, None),
    ],
)
def test_what_is_asked_for_takes_as_long_as_each_does(
    settings: Settings, asked: Any, pace: Any, changes: Any, seconds: float | None
) -> None:
    found = forecast.forecast(asked, NONE, pace, replace(settings, **changes), NIGHTS)
    assert found == Forecast(seconds=seconds)


@pytest.mark.parametrize(
    ("left", "pace", "changes", "nights", "until"),
    [
        (of(1, 0), of(2.0, None), {}, 1, "2026-06-29"),
        (of(500, 0), of(2.0, None), {}, 1, "2026-06-29"),
        (of(501, 0), of(2.0, None), {}, 2, "2026-06-30"),  # by the size of a batch
        (of(480, 0), of(60.0, None), {}, 2, "2026-06-30"),  # by the night: four hours of one a minute
        (of(481, 0), of(60.0, None), {}, 3, "2026-07-01"),
        (of(480, 0), of(60.0, None), {"workers": 2}, 1, "2026-06-29"),
        (of(0, 12), of(None, 1800.0), {}, 2, "2026-06-30"),  # seven in the three and a half hours
        (of(180, 6), of(60.0, 600.0), {}, 1, "2026-06-29"),  # photos until five, six videos until six
        (of(180, 7), of(60.0, 600.0), {}, 2, "2026-06-30"),
        (of(0, 2), of(None, 90000.0), {}, 2, "2026-06-30"),  # what is begun in time is finished
        (of(3, 0), of(2.0, None), {"batch_size": 1, "nightly_days": "mon,fri"}, 3, "2026-07-06"),
        (of(1, 0), of(2.0, None), {"photos_at": "23:00"}, 1, "2026-06-30"),  # over midnight
        (of(1, 1), of(2.0, None), {}, None, None),
        (of(2000, 0), of(2.0, None), {"batch_size": 1}, None, None),
        (NONE, of(2.0, 2.0), {}, None, None),
    ],
)
def test_what_is_left_takes_as_many_nights_as_the_batches_need(
    settings: Settings, left: Any, pace: Any, changes: Any, nights: int | None, until: str | None
) -> None:
    found = forecast.forecast(NONE, left, pace, replace(settings, **changes), NIGHTS)
    assert (found.nights, found.until and found.until.isoformat()) == (nights, until)


def test_where_there_are_no_nights_nothing_is_foretold(settings: Settings) -> None:
    assert forecast.forecast(NONE, of(5, 0), of(2.0, 2.0), settings, {}) == Forecast()


def test_a_kind_whose_night_is_over_begins_with_the_next(settings: Settings) -> None:
    found = forecast.forecast(
        NONE, of(1, 1), of(2.0, 2.0), settings, {Kind.PHOTO: date(2026, 6, 30), Kind.VIDEO: MONDAY}
    )
    assert found == Forecast(nights=2, until=date(2026, 6, 30))


@pytest.mark.parametrize(
    ("now", "last", "changes", "day"),
    [
        ("2026-06-29T01:00:00", None, {}, "2026-06-29"),
        ("2026-06-29T03:00:00", None, {}, "2026-06-29"),  # now: its slot has not run yet
        ("2026-06-29T03:00:00", "2026-06-29", {}, "2026-06-30"),
        ("2026-06-29T06:00:00", None, {}, "2026-06-30"),
        ("2026-06-29T12:00:00", None, {"nightly_days": "mon"}, "2026-07-06"),
        ("2026-06-30T03:00:00", None, {"photos_at": "23:00"}, "2026-06-29"),  # still yesterday's
        ("2026-06-29T01:00:00", None, {"scheduled_processing": False}, None),
    ],
)
def test_the_night_that_comes(settings: Settings, now: str, last: str | None, changes: Any, day: str | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    found = coming(replace(settings, **changes), PHOTOS, last, moment, BERLIN)
    assert (found and found.isoformat()) == day


def test_it_is_read_from_the_library(box: Any) -> None:
    for note in range(3):
        box.upload("red", note=f"left {note}", describe=False)
    box.upload("red", note="asked")
    done = box.upload("red", note="done")
    box.db.execute(
        "UPDATE jobs SET state = 'done', started_at = 10, finished_at = 12 WHERE item_id = ? AND task = 'describe'",
        (done.id,),
    )
    box.db.execute("UPDATE items SET status = 'completed' WHERE id = ?", (done.id,))
    assert jobs.waiting(box.db) == 1
    assert box.item(done).status is Status.COMPLETED
    preferences.set(box.db, "batch_size", 2)
    schedule.claim_slot(box.db, "nightly-videos", "2026-06-29")
    found, times = forecast.read(box.db, box.settings, datetime(2026, 6, 28, 22, tzinfo=UTC), BERLIN)
    assert found == Forecast(seconds=2.0, nights=2, until=date(2026, 6, 30))
    assert forecast.as_json(found, times) == {
        "seconds": 2.0,
        "nights": 2,
        "until": "2026-06-30",
        "next": {"photos": "2026-06-29T02:00+02:00", "videos": "2026-06-30T02:30+02:00"},
    }
