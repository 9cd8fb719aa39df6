"""The worker process: Huey's consumer, its captioner children, and the main thread that watches over them."""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from appliance.device import clock
from appliance.device.notify import notify, watchdog_seconds
from appliance.errors import LibraryError
from appliance.library import database, opening
from appliance.library.marker import Presence
from appliance.library.store import Store
from appliance.settings import Settings
from appliance.work import schedule
from appliance.work.chores import GLANCE, Chores
from appliance.work.consumer import create_consumer
from appliance.work.hands import Hands
from appliance.work.loading import REAL
from appliance.work.lock import only_worker
from appliance.work.queue import listen, open_or_replace_queue
from appliance.work.rest import Rest
from appliance.work.schedule import Household
from appliance.work.signals import STOPPING, Signals
from appliance.work.steadyclock import SteadyClock
from appliance.work.steps import Clock

HEALTH = 10.0  # seconds between two looks whether the consumer's threads live, and two signs of life to systemd

log = logging.getLogger(__name__)


def run(
    settings: Settings,
    *,
    loader: str = REAL,
    household: Household | None = None,
    unix_time: Clock = time.time,
    root: Path = Path("/"),
) -> int:
    """Work until told to stop by SIGTERM, SIGINT or SIGHUP, and return the exit status; for the main thread.

    `loader` is as in `Child`; `household` tells the time to the nightly batches, `unix_time` to leases; the board's
    sensors are read below `root`. Raises LibraryError where the data folder cannot be used or has a worker already.
    """
    logging.getLogger("huey").setLevel(logging.WARNING)  # it would log every ring
    household = household or Household(clock.household_zone, lambda: datetime.now(UTC), clock.synchronised)
    rest = Rest(root)
    with Signals(*STOPPING) as signals:

        def wait(seconds: float) -> int | None:
            _show_patience()
            return signals.wait(seconds)

        def begin() -> Worker:
            store = Store(settings.data)
            store.prepare()
            steady = SteadyClock(unix_time)
            hands = Hands(settings, store, loader, steady, rest, root)
            try:
                return Worker(settings, household, rest, steady, hands, store, root)
            except BaseException:
                hands.close()
                raise

        with opening.opened_once_there_is_room(settings, household.zone(), wait) as presence:
            if presence is None:
                return 0
            with only_worker(settings.data):
                while (worker := database.once_there_is_room(begin, wait)) is not None:
                    try:
                        status = worker.watch(signals, presence)
                        if status is not None:  # only then: systemd ends a service that says so and goes on
                            notify("STOPPING=1")
                    finally:
                        worker.stop()
                    if status != 0 and not presence.is_there():
                        return _outlast(presence, wait, worker)
                    if status is not None:
                        return status
    return 0


class Worker:
    """The main thread, the consumer that it watches over, and the chores that it does."""

    def __init__(
        self,
        settings: Settings,
        household: Household,
        rest: Rest,
        steady: SteadyClock,
        hands: Hands,
        store: Store,
        root: Path,
    ) -> None:
        self._data = settings.data
        self._hands = hands
        self._started = False
        self._queue = open_or_replace_queue(settings.data)
        ring = listen(self._queue, hands.answer)
        schedule.plan(self._queue, hands.connection, settings, household)
        self._consumer = create_consumer(self._queue, hands.pulse, workers=hands.count)
        self._chores = Chores(settings, store, self._queue, ring, hands, rest, steady, household, root)

    def watch(self, signals: Signals, presence: Presence) -> int | None:
        """Start the consumer and look after it until a signal comes; return the exit status, 1 where it hangs.

        Returns None where another number of workers was chosen, and what was under way is done, and where the library
        is gone: start anew. DAMAGED where it is to be restored.
        """
        hands = self._hands
        next_health = 0.0
        every = min(HEALTH, watchdog_seconds() or HEALTH)
        while presence.is_there():
            if hands.damaged or opening.is_called_for(self._data):
                log.critical("the library is damaged; the worker ends so that it can be restored")
                return opening.DAMAGED
            waits = hands.hold.stands()
            if not self._started and not waits:
                self._chores.attempt(self._start)
            if self._started and not waits:
                self._chores.do_due()
            now = time.monotonic()
            if now >= next_health:
                next_health = now + every
                if not hands.pulse.steady():
                    log.critical("the consumer hangs; the worker ends so that it is started anew")
                    return 1
                self._chores.attempt(_show_patience if waits else self._show_life)
            if hands.draining and hands.idle:
                return None
            if signals.wait(GLANCE) is not None:
                return 0
        return None

    def stop(self) -> None:
        """Give back what is being worked on, end the children and the consumer's threads."""
        self._hands.stop()  # first: whoever has waited long enough for the rest to end may kill this process
        self._chores.stop()
        if self._started:
            self._consumer.stop(graceful=True)
        self._queue.storage.close()
        self._hands.close()

    def give_back(self) -> None:
        """Put back, once the library is there again, what was being worked on when it went: no attempt is counted."""
        try:
            with database.explained(), closing(database.connect(self._data / "library.db")) as db:
                self._hands.put_back(db)
        except LibraryError as error:  # each has lost one attempt then
            log.warning("what was being worked on is not put back: %s", error)

    def _start(self) -> None:
        """Free what a dead worker held, and only then start the consumer; raises LibraryError, on a full disk say."""
        self._chores.before_work()
        self._consumer.start()
        self._started = True
        notify("READY=1")

    def _show_life(self) -> None:
        """Tell systemd that all is well, once library and queue have answered; the consumer is steady."""
        self._consumer.check_worker_health()
        self._chores.ask_library()
        notify("WATCHDOG=1")


def _show_patience() -> None:
    """Tell systemd that all is well while the disk is waited for: to be started anew would help nobody."""
    notify("READY=1")
    notify("WATCHDOG=1")


def _outlast(presence: Presence, wait: Callable[[float], int | None], worker: Worker) -> int:
    """Wait until the library is there again; return 1 then, as all is to be opened anew, 0 for a signal to stop."""
    log.critical("the library is gone, its disk perhaps; nothing is worked on until it is there again")
    while not presence.is_there():
        if wait(GLANCE) is not None:
            return 0
    worker.give_back()
    log.warning("the library is there again; the worker starts anew")
    return 1
