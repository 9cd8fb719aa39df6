"""The worker process: Huey's consumer, its captioner child, and the main thread that watches over both."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from huey.consumer import Consumer

from appliance.device import clock
from appliance.device.notify import notify, watchdog_seconds
from appliance.errors import LibraryError, ModelError, StorageError
from appliance.library import claims, database, items, preferences
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.modelstore import installed
from appliance.records import Job
from appliance.settings import Settings
from appliance.work import process, schedule
from appliance.work.adoption import adopt_orphans
from appliance.work.again import describe_again
from appliance.work.child import Child
from appliance.work.consumer import Pulse, create_consumer
from appliance.work.hold import Hold
from appliance.work.loading import REAL
from appliance.work.lock import only_worker
from appliance.work.queue import QueueError, listen, open_or_replace_queue
from appliance.work.reconcile import give_up, ring_due
from appliance.work.rest import Rest
from appliance.work.schedule import Household
from appliance.work.signals import STOPPING, Signals
from appliance.work.steadyclock import SteadyClock
from appliance.work.steps import LEASE, Clock, run_job

GLANCE = 1.0  # seconds between two looks for what is due
BOARD = 10.0  # seconds between two looks at the board's sensors
HEALTH = 10.0  # seconds between two looks whether the consumer's threads live, and two signs of life to systemd
MINUTE = 60.0  # seconds between two reconciliations
STALE = 3600.0  # seconds without a write after which an unfinished upload is dead

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
    with only_worker(settings.data), Signals(*STOPPING) as signals:
        rest = Rest(root)
        while True:
            worker = database.once_there_is_room(
                lambda: _prepared(settings, loader, household, unix_time, rest),
                lambda seconds: _waited(signals, seconds),
            )
            if worker is None:
                return 0
            try:
                status = worker.watch(signals)
            finally:
                worker.stop()
            if status is not None:
                return status


def _waited(signals: Signals, seconds: float) -> int | None:
    notify("READY=1")  # a full disk is no reason to be started anew
    notify("WATCHDOG=1")
    return signals.wait(seconds)


@dataclass(slots=True)
class Chore:
    """What the main thread does every so many seconds; an error is logged, and the next time tries again."""

    every: float
    do: Callable[[Connection], None]
    due: float = 0.0  # by the monotonic clock


def _prepared(settings: Settings, loader: str, household: Household, unix_time: Clock, rest: Rest) -> "Worker":
    database.migrate(settings.data / "library.db")
    store = Store(settings.data)
    store.prepare()
    return Worker(settings, store, loader, household, unix_time, rest)


class Worker:
    """What the consumer's threads and the main thread share. Each thread has its own connection and its own child."""

    def __init__(
        self, settings: Settings, store: Store, loader: str, household: Household, unix_time: Clock, rest: Rest
    ) -> None:
        self._settings = settings
        self._store = store
        self._loader = loader
        self._clock = SteadyClock(unix_time)
        self._rest = rest
        self._household = household
        self._own = threading.local()
        self._connections: list[Connection] = []
        self._children: list[Child] = []
        self._started = self._stopping = self._draining = False
        self._busy: set[str] = set()  # names of the threads that have a job
        self._hold = Hold(store)
        self._owed: list[Job] = []  # claimed jobs that the disk has kept from being put back so far
        self._owing = threading.Lock()
        self._said: dict[str, str] = {}  # what failed, by what it came of
        self._pulse = Pulse()
        self._workers = preferences.get(self.connection(), settings).workers
        self._tidied_for = 0.0  # since when the page served that files were tidied up for
        self._chosen_at = 0.0  # when the model in use was chosen, as far as is known here
        self._chores = [
            Chore(GLANCE, self._follow_clock),  # first: the others go by the leases
            Chore(BOARD, self._look_at_board),
            Chore(STALE, self._tidy),
            Chore(GLANCE, self._ring_due),
            Chore(MINUTE, self._reconcile),
            Chore(MINUTE, self._end_night),
            Chore(GLANCE, self._look_around),
        ]
        self._queue = open_or_replace_queue(settings.data)
        self._ring = listen(self._queue, self.answer)
        schedule.plan(self._queue, self.connection, settings, household)
        self._consumer: Consumer = create_consumer(self._queue, self._pulse, workers=self._workers)

    def connection(self) -> Connection:
        """Return the calling thread's connection to the library."""
        if not hasattr(self._own, "connection"):
            self._own.connection = database.connect(self._settings.data / "library.db")
            self._connections.append(self._own.connection)
        connection: Connection = self._own.connection
        return connection

    def answer(self, job_id: int) -> None:
        """Do the most urgent job that is due, which need not be the one that was rung for; called by the consumer."""
        if self._stopping or self._draining or self._hold.stands() or self._rest.resting or self._clock.was_set():
            return
        job = None
        with self._at_work():
            try:
                with database.explained():
                    db = self.connection()
                    now = self._clock.now()
                    self._put_back(db)
                    give_up(db, now=now, attempts_allowed=preferences.get(db, self._settings).attempts)
                    job = claims.claim_next(db, now=now, lease=LEASE)
                    if job is None:
                        log.debug("nothing is due for the bell of job %d", job_id)
                        return
                    run_job(
                        db,
                        self._store,
                        self._child(),
                        self._settings,
                        job,
                        clock=self._clock.now,
                        alive=self._pulse.beat,
                    )
            except StorageError as error:
                if job is not None:
                    self._owed.append(job)
                self._hold.begin(error)

    def watch(self, signals: Signals) -> int | None:
        """Start the consumer and look after it until a signal comes; return the exit status, 1 where it hangs.

        Returns None where another number of workers was chosen, and what was under way is done: start anew.
        """
        db = self.connection()
        next_health = 0.0
        every = min(HEALTH, watchdog_seconds() or HEALTH)
        while True:
            now = time.monotonic()
            waits = self._hold.stands()
            if not self._started and not waits:
                self._attempt(self._start, db)
            if self._started and not waits:
                for chore in self._chores:
                    if now >= chore.due:
                        chore.due = now + chore.every
                        self._attempt(chore.do, db)
            if now >= next_health:
                next_health = now + every
                if not self._pulse.steady():
                    log.critical("the consumer hangs; the worker ends so that it is started anew")
                    return 1
                self._attempt(self._show_patience if waits else self._show_life, db)
            if self._draining and not self._busy:
                return None
            if signals.wait(GLANCE) is not None:
                return 0

    def _start(self, db: Connection) -> None:
        """Free what a dead worker held, and only then start the consumer; raises LibraryError, on a full disk say."""
        self._look_at_board(db)  # a box that is too warm begins nothing, not even at once
        attempts = preferences.get(db, self._settings).attempts
        released = claims.release_running(db, now=self._clock.now(), attempts_allowed=attempts)
        if released:
            log.warning("%d jobs of a worker that died are taken up again", released)
        self._end_night(db)
        self._consumer.start()
        self._started = True
        notify("READY=1")

    def stop(self) -> None:
        """Give back what is being worked on, end the children and the consumer's threads."""
        notify("STOPPING=1")
        self._stopping = True
        for child in self._children:
            child.stop()
        if self._started:
            self._consumer.stop(graceful=True)
        self._queue.storage.close()
        for connection in self._connections:
            connection.close()

    def _attempt(self, do: Callable[[Connection], None], db: Connection) -> None:
        """Do what the next time tries again, and hold up nothing else where it fails: say so once."""
        try:
            with database.explained():
                do(db)
        except (LibraryError, QueueError, OSError) as error:  # OSError: the disk went away under a look into it
            if self._said.get(do.__name__) != str(error):
                self._said[do.__name__] = str(error)
                log.warning("looking for work failed, and is tried again: %s", error)
        else:
            self._said.pop(do.__name__, None)

    def _show_patience(self, _: Connection) -> None:
        """Tell systemd that all is well while the disk is waited for: to be started anew would help nobody."""
        notify("READY=1")
        notify("WATCHDOG=1")

    def _show_life(self, _: Connection) -> None:
        """Tell systemd that all is well, once library and queue have answered; the consumer is steady."""
        self._consumer.check_worker_health()
        self._queue.pending_count()
        with closing(database.connect(self._settings.data / "library.db")) as db:  # an open one would not see it gone
            items.revision(db)
        notify("WATCHDOG=1")

    def _follow_clock(self, db: Connection) -> None:
        def move(seconds: float) -> None:
            log.warning("the clock was set by %.0f s", seconds)
            claims.follow_clock(db, seconds, now=self._clock.now(), lease=LEASE)

        self._clock.follow(move)

    def _look_at_board(self, db: Connection) -> None:
        self._rest.look(db, preferences.get(db, self._settings))

    def _end_night(self, db: Connection) -> None:
        schedule.end_night(db, self._settings, self._household)

    def _tidy(self, db: Connection) -> None:
        self._store.sweep(STALE)
        adopt_orphans(db, self._store, self._settings)

    def _ring_due(self, db: Connection) -> None:
        self._put_back(db)
        if not self._rest.resting:
            ring_due(db, self._queue, self._ring, now=self._clock.now())

    def _reconcile(self, db: Connection) -> None:
        give_up(db, now=self._clock.now(), attempts_allowed=preferences.get(db, self._settings).attempts)
        try:
            again = describe_again(db, self._settings.data / "models", now=self._clock.now())
            if again:
                log.info("%d items that the sample model described are described again", again)
        except ModelError as error:
            log.warning("%s", error)

    def _look_around(self, db: Connection) -> None:
        """Act at once where the owner has chosen another model or number of workers, or a page that died left files."""
        served_since = self._store.served_since()
        if served_since != self._tidied_for:
            self._tidied_for = served_since
            self._tidy(db)
        chosen_at = installed.choice_made_at(self._settings.data / "models")
        if chosen_at != self._chosen_at:
            self._chosen_at = chosen_at
            self._reconcile(db)
        wanted = preferences.get(db, self._settings).workers
        if wanted != self._workers and not self._draining:
            log.info("%d at a time from now on, and no longer %d", wanted, self._workers)
            self._draining = True

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        name = threading.current_thread().name
        self._busy.add(name)
        try:
            yield
        finally:
            self._busy.discard(name)

    def _child(self) -> Child:
        if not hasattr(self._own, "child"):
            self._own.child = Child(self._shared_out(), loader=self._loader)
            self._children.append(self._own.child)
            if self._stopping:
                self._own.child.stop()
        child: Child = self._own.child
        return child

    def _put_back(self, db: Connection) -> None:
        """Put back what the disk was to blame for, uncounted; raises StorageError where that is still so."""
        with self._owing:
            while self._owed:
                claims.put_back(db, self._owed[-1], now=self._clock.now())
                self._owed.pop()

    def _shared_out(self) -> Settings:
        """Return the settings with cores and memory divided among the workers, where nobody has said who takes what."""
        chosen = self._settings
        if self._workers == 1:
            return chosen
        cores = len(os.sched_getaffinity(0))
        return replace(
            chosen,
            threads=chosen.threads or max(1, cores // self._workers),
            memory_limit_mb=process.memory_limit(chosen) // self._workers >> 20,
        )
