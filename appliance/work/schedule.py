"""The night: what is waiting is described in two batches, photos first, each once a night in the household's time.

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
from appliance.library import items, jobs, preferences, schedule
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
        opens = datetime.combine(day, start, zone).astimezone(UTC)
        closing = day if end > start else day + timedelta(days=1)
        closes = datetime.combine(closing, end, zone).astimezone(UTC)
        if opens <= now < closes:
            return day
    return None


def due(db: Connection, settings: Settings, batch: Batch, household: Household) -> str | None:
    """Return tonight's slot of `batch` where it is to run now, else None; reads only."""
    wanted = preferences.get(db, settings)
    if not wanted.scheduled_processing:
        return None
    zone = ZoneInfo(wanted.time_zone) if wanted.time_zone else household.zone()
    start, end = time.fromisoformat(batch.starts(wanted)), time.fromisoformat(wanted.window_end)
    tonight = slot(start, household.now(), zone, end)
    if tonight is None or DAYS[tonight.weekday()] not in wanted.nightly_days.split(","):
        return None
    if schedule.is_over(db, batch.name, tonight.isoformat()) or not household.synchronised():
        return None
    return tonight.isoformat()


def run_batch(db: Connection, settings: Settings, batch: Batch, household: Household) -> list[Job]:
    """Claim tonight's slot of `batch` and queue its items, the oldest first; return the jobs, none where it is not due.

    Slot and jobs are one transaction: a power cut leaves both or neither.
    """
    with transaction(db):
        tonight = due(db, settings, batch, household)
        if tonight is None or not schedule.claim_slot(db, batch.name, tonight):
            return []
        now = household.now().timestamp()
        limit = preferences.get(db, settings).batch_size
        chosen = items.waiting(db, batch.kind, limit=limit)
        queued = [job for item_id in chosen for job in jobs.again(db, item_id, Priority.NIGHTLY, now=now)]
    log.info("%s of %s: %d items", batch.name, tonight, len(chosen))
    return queued


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
