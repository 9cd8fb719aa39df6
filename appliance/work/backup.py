"""The nightly backup of the database: once a day, made up for as soon as the box is on, and told of where it fails."""

import logging
import time as clock
from datetime import time
from zoneinfo import ZoneInfo

from appliance.errors import DamagedLibraryError, LibraryError
from appliance.library import backups, notices, preferences, schedule
from appliance.library.database import Connection
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work.schedule import Household, slot

NAME = "backup"  # of its slot, and of the notice that it failed
RETRY = 3600.0  # seconds until another try after a failure
DAY = 86400.0  # seconds after which a clock that nobody has set has to do

log = logging.getLogger(__name__)


class Nightly:
    """Whether a backup is due, and making it."""

    def __init__(self, settings: Settings, household: Household) -> None:
        self._settings = settings
        self._household = household
        self._began = clock.monotonic()
        self._not_before = 0.0  # by the monotonic clock

    def is_due(self, db: Connection) -> bool:
        """Return whether today's backup is still to be made; the first day of a library has none."""
        if clock.monotonic() < self._not_before or not self._knows_the_time():
            return False
        last = schedule.last_slot(db, NAME)
        if last is None:
            schedule.set_slot(db, NAME, self._slot(db))
            return False
        return last != self._slot(db)  # an earlier one is as due: the clock was wrong and is right now

    def run(self, db: Connection) -> None:
        """Make today's backup where it is still due; what fails is put up as a notice, and tried again in an hour."""
        if not self.is_due(db):
            return
        today = self._slot(db)
        kept = preferences.get(db, self._settings).backups_kept
        try:
            made = backups.make(db, self._settings.data, now=self._household.now().timestamp(), kept=kept)
        except DamagedLibraryError:
            raise
        except LibraryError as error:
            self._not_before = clock.monotonic() + RETRY
            log.error("the backup failed, and is tried again in an hour: %s", error)
            text = say("The backup of the library’s database failed. {error}", error=error.message)
            notices.put_up(db, NAME, text, error.next_step)
            return
        schedule.set_slot(db, NAME, today)
        notices.take_down(db, NAME)
        log.info("backup: %s", made.name if made else "nothing has changed since the newest one")

    def _knows_the_time(self) -> bool:
        return self._household.synchronised() or clock.monotonic() - self._began >= DAY

    def _slot(self, db: Connection) -> str:
        wanted = preferences.get(db, self._settings)
        zone = ZoneInfo(wanted.time_zone) if wanted.time_zone else self._household.zone()
        start = time.fromisoformat(wanted.backup_at)
        day = slot(start, self._household.now(), zone, start)
        return "" if day is None else day.isoformat()  # a window of a whole day has no gap to be in
