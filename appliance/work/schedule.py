"""The night: what is waiting is described in two batches, photos first, each once a night in the household's time.

What a batch has not begun when the night is over waits for the next one.

Huey asks every minute; its own crontab reckons in UTC, forgets what it missed and runs twice after a restart. Here a
night's slot is worked out with zoneinfo, due until the window's end, and claimed in the table in one UPDATE.
Times, days and zone are preferences, read anew each time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from huey.api import Huey

from appliance.errors import LibraryError
from appliance.library import history, items, jobs, preferences, schedule
from appliance.library.database import Connection, explained, transaction
from appliance.records import Job, Kind, Priority
from appliance.settings import DAYS, Settings

_FIRST = 100  # before every bell in the queue

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """A nightly batch: its name in the table, the kind it describes and the setting that says when it starts."""

    name: str
    kind: Kind
    starts: Callable[[Settings], str]


BATCHES = (
    Batch("nightly-photos", Kind.PHOTO, attrgetter("photos_at")),
    Batch("nightly-videos", Kind.VIDEO, attrgetter("videos_at")),
)


@dataclass(frozen=True, slots=True)
class Household:
    """What the night depends on outside the library: the box's zone, the time (aware), and whether to trust that."""

    zone: Callable[[], ZoneInfo]
    now: Callable[[], datetime]
    synchronised: Callable[[], bool]


def slot(start: time, now: datetime, zone: ZoneInfo, end: time) -> date | None:
    """Return the local date of the night whose window, from `start` to `end`, `now` (aware) lies in; else None.

    A start that the clock skips on that day is put off by the hour skipped; one that it shows twice is the first.
    """
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):  # a window may reach over midnight
        opens, closes = _bounds(start, end, day, zone)
        if opens <= now < closes:
            return day
    return None


def window(settings: Settings, batch: Batch, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the night of `batch` that begins on `day` opens and closes, in UTC."""
    return _bounds(time.fromisoformat(batch.starts(settings)), time.fromisoformat(settings.window_end), day, zone)


def _bounds(start: time, end: time, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    closing = day if end > start else day + timedelta(days=1)
    return datetime.combine(day, start, zone).astimezone(UTC), datetime.combine(closing, end, zone).astimezone(UTC)


def tonight(settings: Settings, batch: Batch, household: Household) -> date | None:
    """Return the night of `batch` that it is now, None by day and in a night that is not wanted."""
    if not settings.scheduled_processing:
        return None
    zone = ZoneInfo(settings.time_zone) if settings.time_zone else household.zone()
    start, end = time.fromisoformat(batch.starts(settings)), time.fromisoformat(settings.window_end)
    night = slot(start, household.now(), zone, end)
    return night if night is not None and DAYS[night.weekday()] in settings.nightly_days.split(",") else None


def due(db: Connection, settings: Settings, batch: Batch, household: Household) -> str | None:
    """Return tonight's slot of `batch` where it is to run now, else None; reads only."""
    night = tonight(preferences.get(db, settings), batch, household)
    if night is None or schedule.is_over(db, batch.name, night.isoformat()):
        return None
    return night.isoformat() if household.synchronised() else None


def run_batch(db: Connection, settings: Settings, batch: Batch, household: Household) -> list[Job]:
    """Claim tonight's slot of `batch` and queue its items, the oldest first; return the jobs, none where it is not due.

    Slot and jobs are one transaction: a power cut leaves both or neither.
    """
    with transaction(db):
        night = due(db, settings, batch, household)
        if night is None or not schedule.claim_slot(db, batch.name, night):
            return []
        now = household.now().timestamp()
        limit = preferences.get(db, settings).batch_size
        chosen = items.waiting(db, batch.kind, limit=limit)
        number = history.begin_night(db, night, batch.kind, len(chosen))
        queued = [job for item_id in chosen for job in jobs.again(db, item_id, Priority.NIGHTLY, now=now)]
        history.count_for_night(db, number, queued)
    log.info("%s of %s: %d items", batch.name, night, len(chosen))
    return queued


def is_held_back(db: Connection, settings: Settings, household: Household) -> bool:
    """Return whether a batch would be due, were it not for a clock that nobody has set; reads only."""
    wanted = preferences.get(db, settings)
    nights = ((batch, tonight(wanted, batch, household)) for batch in BATCHES)
    waits = any(night and not schedule.is_over(db, batch.name, night.isoformat()) for batch, night in nights)
    return waits and not household.synchronised()


def end_night(db: Connection, settings: Settings, household: Household) -> int:
    """Call off what a batch has queued and nobody has begun, where its night is over; return how many descriptions.

    They wait for the next night, the oldest first. What was tried already goes on to its last attempt, and what
    somebody has asked for in the meantime is more urgent and stays. Writes nothing where there is nothing to call off.
    """
    count = 0
    for batch in BATCHES:
        while jobs.any_left(db, batch.kind, Priority.NIGHTLY):
            with transaction(db):  # in which no batch can begin: its night is looked at under the same lock
                if tonight(preferences.get(db, settings), batch, household) or not household.synchronised():
                    break
                count += jobs.call_off(db, batch.kind, Priority.NIGHTLY)
    if count:
        log.info("the night is over: %d items wait for the next", count)
    return count


def plan(queue: Huey, connection: Callable[[], Connection], settings: Settings, household: Household) -> None:
    """Have a consumer of `queue` run the nightly batches; `connection` gives the calling thread's connection.

    What a batch queues is rung for by `reconcile`.
    """
    for batch in BATCHES:
        _periodic(queue, connection, settings, household, batch)


def _periodic(
    queue: Huey, connection: Callable[[], Connection], settings: Settings, household: Household, batch: Batch
) -> None:
    def is_due(_: datetime) -> bool:
        try:
            with explained():
                return due(connection(), settings, batch, household) is not None
        except LibraryError as error:  # would end the scheduler; the next minute asks again
            log.warning("whether %s is due cannot be told: %s", batch.name, error)
            return False

    @queue.periodic_task(is_due, name=batch.name, priority=_FIRST)  # type: ignore[untyped-decorator]
    def nightly() -> None:
        try:
            run_batch(connection(), settings, batch, household)
        except LibraryError as error:  # the slot is not claimed then, and is still due in a minute
            log.warning("%s does not begin yet; the next minute tries again: %s", batch.name, error)
