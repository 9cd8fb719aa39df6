"""When what is waiting will be described: reckoned from what one photo and one video took on this box lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from appliance.library import preferences, schedule, status
from appliance.library.database import Connection
from appliance.records import Kind
from appliance.settings import DAYS, Settings
from appliance.work.schedule import BATCHES, Batch, window

MOST_NIGHTS = 1000  # reckoned through; more is as good as unknown

Counts = Mapping[Kind, int]
Pace = Mapping[Kind, float | None]  # seconds one takes; None where none was measured


@dataclass(frozen=True, slots=True)
class Forecast:
    """When it is done: what is asked for in so many `seconds`, what is left for the night in so many `nights`.

    `until` is the day on which the last of those nights ends. None is what cannot be known, or where there is nothing.
    """

    seconds: float | None = None
    nights: int | None = None
    until: date | None = None


def forecast(asked: Counts, left: Counts, pace: Pace, settings: Settings, nights: Mapping[Kind, date]) -> Forecast:
    """Return when the items `asked` for, and those `left` for the night, are described.

    `nights` has the first night that is still to come of each kind's batch, as `coming` gives it.
    """
    seconds = sum(count * (pace[kind] or 0) for kind, count in asked.items()) / settings.workers
    known = any(asked.values()) and all(pace[kind] for kind, count in asked.items() if count)
    count, until = _nights({kind: count for kind, count in left.items() if count}, pace, settings, nights)
    return Forecast(seconds if known else None, count, until)


def coming(settings: Settings, batch: Batch, last: str | None, now: datetime, zone: ZoneInfo) -> date | None:
    """Return the first night whose batch is still to run, tonight's included; None where there are no nights.

    `last` is the night that ran last, as `schedule.last_slot` gives it.
    """
    if not settings.scheduled_processing:
        return None
    today = now.astimezone(zone).date()
    for days in range(-1, 8):  # a window that reaches over midnight began yesterday
        day = today + timedelta(days=days)
        if DAYS[day.weekday()] in settings.nightly_days.split(",") and day.isoformat() > (last or ""):
            if window(settings, batch, day, zone)[1] > now:
                return day
    return None


def starts(settings: Settings, batch: Batch, day: date, zone: ZoneInfo) -> datetime:
    """Return when the batch of the night that begins on `day` starts, in the household's time."""
    return window(settings, batch, day, zone)[0].astimezone(zone)


def read(db: Connection, settings: Settings, now: datetime, zone: ZoneInfo) -> tuple[Forecast, dict[Kind, datetime]]:
    """Return the forecast for the library and when each kind's next batch starts; reads only."""
    wanted = preferences.get(db, settings)
    nights = {}
    for batch in BATCHES:
        day = coming(wanted, batch, schedule.last_slot(db, batch.name), now, zone)
        if day is not None:
            nights[batch.kind] = day
    asked, left = status.waiting(db)
    times = {batch.kind: starts(wanted, batch, nights[batch.kind], zone) for batch in BATCHES if batch.kind in nights}
    return forecast(asked, left, status.paces(db), wanted, nights), times


def as_json(found: Forecast, times: Mapping[Kind, datetime]) -> dict[str, Any]:
    """Return the forecast as the API and `shoebox status --json` tell it."""
    return {
        "seconds": found.seconds,
        "nights": found.nights,
        "until": found.until and found.until.isoformat(),
        "next": {f"{kind}s": at.isoformat(timespec="minutes") for kind, at in times.items()},
    }


def _nights(
    left: Counts, pace: Pace, settings: Settings, nights: Mapping[Kind, date]
) -> tuple[int | None, date | None]:
    """Go through the nights: each kind's batch takes what fits in before the end, after what began before it."""
    if not left or not all(pace[kind] and kind in nights for kind in left):
        return None, None
    waiting = dict(left)
    batches = sorted((batch for batch in BATCHES if batch.kind in left), key=lambda batch: _begins(settings, batch))
    day = min(nights[batch.kind] for batch in batches)
    until, free_from = day, datetime.min.replace(tzinfo=UTC)
    for count in range(1, MOST_NIGHTS + 1):
        for batch in batches:
            if day < nights[batch.kind] or not waiting[batch.kind]:
                continue
            opens, closes = window(settings, batch, day, ZoneInfo("UTC"))  # an hour more or less on two days a year
            each = (pace[batch.kind] or 0) / settings.workers
            begins = max(opens, free_from)
            room = max(0, ceil((closes - begins).total_seconds() / each))  # what is begun in time is finished
            taken = min(waiting[batch.kind], settings.batch_size, room)
            waiting[batch.kind] -= taken
            free_from, until = begins + timedelta(seconds=taken * each), closes.date()
        if not any(waiting.values()):
            return count, until
        day = _next_chosen(day, settings)
    return None, None


def _begins(settings: Settings, batch: Batch) -> time:
    return time.fromisoformat(batch.starts(settings))


def _next_chosen(day: date, settings: Settings) -> date:
    chosen = settings.nightly_days.split(",")
    return next(later for n in range(1, 8) if DAYS[(later := day + timedelta(days=n)).weekday()] in chosen)
