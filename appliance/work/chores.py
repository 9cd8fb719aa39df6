"""What the worker's main thread looks after, each every so many seconds, and none holding up another where it fails."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huey.api import Huey

from appliance.device.profile import profile
from appliance.errors import DamagedLibraryError, LibraryError, ModelError
from appliance.library import claims, database, disk, items, notices, partials, preferences, trash
from appliance.library.store import Store
from appliance.modelstore import installed
from appliance.records import Job
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work import schedule
from appliance.work.adoption import take_in_forgotten
from appliance.work.again import describe_again
from appliance.work.aside import Aside
from appliance.work.backup import Nightly
from appliance.work.hands import PROVIDER, Hands
from appliance.work.queue import QueueError
from appliance.work.reconcile import give_up, ring_due
from appliance.work.rest import Rest
from appliance.work.schedule import Household
from appliance.work.steadyclock import SteadyClock
from appliance.work.stepping import Stepping
from appliance.work.steps import LEASE

GLANCE = 1.0  # seconds between two looks for what is due
BOARD = 10.0  # seconds between two looks at the board's sensors
MINUTE = 60.0  # seconds between two reconciliations
STALE = 3600.0  # seconds without a write after which an unfinished upload is dead

UNTRIED = {"auto", "cpu"}  # providers of which nothing can be wanting

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chore:
    """Something to do every so many seconds."""

    every: float
    do: Callable[[], None]
    due: float = 0.0  # by the monotonic clock


class Chores:
    """For the main thread alone; what takes long is done by a thread beside it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: Huey,
        ring: Callable[[Job], None],
        hands: Hands,
        rest: Rest,
        clock: SteadyClock,
        household: Household,
        root: Path,
    ) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._ring = ring
        self._hands = hands
        self._rest = rest
        self._clock = clock
        self._household = household
        self._board = profile(root)
        self._db = hands.connection()
        self._file = disk.identity(settings.data / "library.db")
        self._aside = Aside(settings.data)
        self._backup = Nightly(settings, household)
        self._tidied_for = 0.0  # since when the page served that files were tidied up for
        self._chosen_at = 0.0  # when the model in use was chosen, as far as is known here
        self._provider_known = False  # whether it was tried since the start, or need not be
        self._said: dict[str, str] = {}  # what failed, by what it came of
        self._chores = [
            Chore(GLANCE, self._follow_clock),  # first: the others go by the leases
            Chore(BOARD, self._look_at_board),
            Chore(STALE, self._tidy),
            Chore(GLANCE, self._ring_due),
            Chore(MINUTE, self._reconcile),
            Chore(MINUTE, self._look_at_memory),
            Chore(MINUTE, self._end_night),
            Chore(MINUTE, self._look_at_clock),
            Chore(GLANCE, self._look_around),
            Chore(MINUTE, self._back_up),
            Chore(MINUTE, self._look_at_provider),
        ]

    def before_work(self) -> None:
        """Free what a dead worker held; a box that is too warm begins nothing, not even at once."""
        self._look_at_board()
        attempts = preferences.get(self._db, self._settings).attempts
        released = claims.release_running(self._db, now=self._clock.now(), attempts_allowed=attempts)
        if released:
            log.warning("%d jobs of a worker that died are taken up again", released)
        self._end_night()

    def do_due(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        for chore in self._chores:
            if now >= chore.due:
                chore.due = now + chore.every
                self.attempt(chore.do)

    def attempt(self, do: Callable[[], None]) -> None:
        """Do what the next time tries again, and hold up nothing else where it fails: say so once."""
        try:
            with database.explained():
                do()
        except DamagedLibraryError as error:
            self._hands.let_go(error)
        except (LibraryError, QueueError, OSError) as error:  # OSError: the disk went away under a look into it
            if self._said.get(do.__name__) != str(error):
                self._said[do.__name__] = str(error)
                log.warning("looking for work failed, and is tried again: %s", error)
        else:
            self._said.pop(do.__name__, None)

    def ask_library(self) -> None:
        """Read from library and queue; raises LibraryError, QueueError or OSError where one does not answer."""
        self._queue.pending_count()
        items.revision(self._db)
        # An open connection does not see that its file is gone; a new one each time would wear the card.
        if disk.identity(self._settings.data / "library.db") != self._file:
            raise LibraryError("The library’s database is another file now.", "Start Shoebox again.")

    def stop(self) -> None:
        """Let go of what is done beside the main thread."""
        self._aside.stop()

    def _follow_clock(self) -> None:
        def move(seconds: float) -> None:
            log.warning("the clock was set by %.0f s", seconds)
            claims.follow_clock(self._db, seconds, now=self._clock.now(), lease=LEASE)

        self._clock.follow(move)

    def _look_at_board(self) -> None:
        self._rest.look(self._db, preferences.get(self._db, self._settings))

    def _tidy(self) -> None:
        self._store.sweep(STALE)
        partials.sweep(self._db, self._store)
        if gone := trash.empty_old(self._db, self._store, now=self._clock.now()):
            log.info("%d items that had been in the trash for a month are removed", gone)
        self._aside.do("adoption", lambda own: take_in_forgotten(own, self._store, self._settings, self._aside.goes_on))

    def _ring_due(self) -> None:
        self._hands.put_back(self._db)
        if not self._rest.resting:
            ring_due(self._db, self._queue, self._ring, now=self._clock.now(), describing=not self._hands.refused)

    def _reconcile(self) -> None:
        now = self._clock.now()
        give_up(self._db, now=now, attempts_allowed=preferences.get(self._db, self._settings).attempts)
        models = self._settings.data / "models"
        instead = self._stepping().fit.model
        try:
            if instead is not None and installed.find(models, instead).sample:
                return  # it would only say the same again
            again = describe_again(self._db, models, now=now)
            if again:
                log.info("%d items that the sample model described are described again", again)
        except ModelError as error:
            log.warning("%s", error)

    def _look_at_memory(self) -> None:
        """Say that describing makes do with less memory, or that it does no longer."""
        self._stepping().tell()

    def _stepping(self) -> Stepping:
        return Stepping(self._db, preferences.get(self._db, self._settings), self._board)

    def _end_night(self) -> None:
        schedule.end_night(self._db, self._settings, self._household)

    def _look_at_clock(self) -> None:
        """Say that the night does not come because nobody has set the clock, until somebody has."""
        if schedule.is_held_back(self._db, self._settings, self._household):
            text = say("It is time for the night’s work, but no time server has set the box’s clock yet.")
            step = say("Connect the box to the Internet, or to a router that tells the time.")
            if notices.put_up(self._db, "clock", text, step):
                log.warning("the night is held back: the clock is not set")
        elif self._household.synchronised():
            notices.take_down(self._db, "clock")

    def _look_around(self) -> None:
        """Act at once where the owner has chosen another model or number of workers, or a page that died left files."""
        served_since = self._store.served_since()
        if served_since != self._tidied_for:
            self._tidied_for = served_since
            self._tidy()
        chosen_at = installed.choice_made_at(self._settings.data / "models")
        if chosen_at != self._chosen_at:
            self._chosen_at = chosen_at
            self._look_at_memory()
            self._reconcile()
        wanted = preferences.get(self._db, self._settings).workers
        if wanted != self._hands.count and not self._hands.draining:
            log.info("%d at a time from now on, and no longer %d", wanted, self._hands.count)
            self._hands.draining = True

    def _back_up(self) -> None:
        if self._backup.is_due(self._db):
            self._aside.do("backup", self._backup.run)

    def _look_at_provider(self) -> None:
        """Try at the start what was chosen by name, or what a notice stands of; and again while it cannot be had."""
        if not self._provider_known:
            told = any(notice.name == PROVIDER for notice in notices.standing(self._db))
            self._provider_known = self._settings.provider in UNTRIED and not told
        if self._hands.refused or not self._provider_known:
            self._aside.do("provider", self._hands.try_provider)
        self._provider_known = True
