"""The worker process: Huey's consumer, its captioner child, and the main thread that watches over both."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from huey.consumer import Consumer

from appliance.device import clock
from appliance.device.notify import notify
from appliance.errors import DamagedLibraryError, LibraryError, ModelError, StorageFullError
from appliance.library import claims, database, opening, preferences
from appliance.library.database import Connection
from appliance.library.marker import Presence
from appliance.library.store import Store
from appliance.modelstore import installed
from appliance.settings import Settings
from appliance.work import schedule
from appliance.work.adoption import take_in_forgotten
from appliance.work.again import describe_again
from appliance.work.aside import Aside
from appliance.work.backup import Nightly
from appliance.work.child import Child
from appliance.work.consumer import Pulse, create_consumer
from appliance.work.loading import REAL
from appliance.work.lock import only_worker
from appliance.work.queue import QueueError, listen, open_or_replace_queue
from appliance.work.reconcile import give_up, ring_due
from appliance.work.schedule import Household
from appliance.work.signals import STOPPING, Signals
from appliance.work.steps import LEASE, run_job

GLANCE = 1.0  # seconds between two looks for what is due
HEALTH = 10.0  # seconds between two looks whether the consumer's threads live, and two signs of life to systemd
MINUTE = 60.0  # seconds between two reconciliations
ROOM = 30.0  # seconds until work is tried again after the disk was full
STALE = 3600.0  # seconds without a write after which an unfinished upload is dead

log = logging.getLogger(__name__)


def run(settings: Settings, *, loader: str = REAL, household: Household | None = None) -> int:
    """Work until told to stop by SIGTERM, SIGINT or SIGHUP, and return the exit status; for the main thread.

    `loader` is as in `Child`; `household` tells the time to the nightly batches. Raises LibraryError where the data
    folder cannot be used or has a worker already.
    """
    logging.getLogger("huey").setLevel(logging.WARNING)  # it would log every ring
    household = household or Household(clock.household_zone, lambda: datetime.now(UTC), clock.synchronised)
    with (
        opening.opened(settings, household.zone()) as presence,
        only_worker(settings.data),
        Signals(*STOPPING) as signals,
    ):
        store = Store(settings.data)
        store.prepare()
        while True:
            worker = Worker(settings, store, loader, household, presence)
            try:
                status = worker.watch(signals)
            finally:
                worker.stop()
            if not presence.is_there():
                return _outlast(presence, signals)
            if status is not None:
                return status


def _outlast(presence: Presence, signals: Signals) -> int:
    """Wait until the library is there again; return 1 then, as all is to be opened anew, 0 for a signal to stop."""
    log.critical("the library is gone, its disk perhaps; nothing is worked on until it is there again")
    while not presence.is_there():
        notify("WATCHDOG=1")
        if signals.wait(GLANCE) is not None:
            return 0
    log.warning("the library is there again; the worker starts anew")
    return 1


@dataclass(slots=True)
class Chore:
    """What the main thread does every so many seconds; an error is logged, and the next time tries again."""

    every: float
    do: Callable[[Connection], None]
    due: float = 0.0  # by the monotonic clock


class Worker:
    """What the consumer's threads and the main thread share. Each thread has its own connection and its own child."""

    def __init__(self, settings: Settings, store: Store, loader: str, household: Household, presence: Presence) -> None:
        self._settings = settings
        self._store = store
        self._loader = loader
        self._presence = presence
        self._aside = Aside(settings.data)
        self._backup = Nightly(settings, household)
        self._own = threading.local()
        self._connections: list[Connection] = []
        self._children: list[Child] = []
        self._started = self._stopping = self._draining = False
        self._busy: set[str] = set()  # names of the threads that have a job
        self._paused_until = 0.0  # by the monotonic clock
        self._pulse = Pulse()
        self._workers = preferences.get(self.connection(), settings).workers
        self._chosen_at = 0.0  # when the model in use was chosen, as far as is known here
        self._chores = [
            Chore(STALE, self._tidy),
            Chore(GLANCE, self._ring_due),
            Chore(MINUTE, self._reconcile),
            Chore(GLANCE, self._look_at_choices),
            Chore(MINUTE, self._back_up),
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
        if self._stopping or self._draining or self._is_paused():
            return
        now = time.time()
        with self._at_work():
            try:
                with database.explained():
                    db = self.connection()
                    give_up(db, now=now, attempts_allowed=preferences.get(db, self._settings).attempts)
                    job = claims.claim_next(db, now=now, lease=LEASE)
                    if job is None:
                        log.debug("nothing is due for the bell of job %d", job_id)
                        return
                    run_job(db, self._store, self._child(), self._settings, job, alive=self._pulse.beat)
            except StorageFullError as error:
                log.error("%s Work goes on in %.0f s.", error, ROOM)
                self._paused_until = time.monotonic() + ROOM
            except DamagedLibraryError as error:
                log.critical("%s", error)
                opening.call_for_restart(self._settings.data)
            except LibraryError as error:
                log.warning("a job was not done, and is tried again: %s", error)

    def watch(self, signals: Signals) -> int | None:
        """Start the consumer and look after it until a signal comes; return the exit status, 1 where it hangs.

        Returns None where another number of workers was chosen, and what was under way is done, and where the library
        is gone: start anew. DAMAGED where it is to be restored.
        """
        db = self.connection()
        next_health = 0.0
        while True:
            now = time.monotonic()
            if not self._presence.is_there():
                return None
            if opening.is_called_for(self._settings.data):
                log.critical("the library is damaged; the worker ends so that it can be restored")
                return opening.DAMAGED
            try:
                with database.explained():
                    if not self._started:
                        self._start(db)
                    for chore in self._chores:
                        if now >= chore.due:
                            chore.due = now + chore.every
                            chore.do(db)
                    if now >= next_health:
                        next_health = now + HEALTH
                        self._consumer.check_worker_health()
                        if not self._pulse.steady():
                            log.critical("the consumer hangs; the worker ends so that it is started anew")
                            return 1
                        notify("WATCHDOG=1")  # only here: library, queue and consumer have answered
            except DamagedLibraryError as error:
                log.critical("%s", error)
                opening.call_for_restart(self._settings.data)
                return opening.DAMAGED
            except (LibraryError, QueueError) as error:
                log.warning("looking for work failed, and is tried again: %s", error)
            if self._draining and not self._busy:
                return None
            if signals.wait(GLANCE) is not None:
                return 0

    def _start(self, db: Connection) -> None:
        """Free what a dead worker held, and only then start the consumer; raises LibraryError, on a full disk say."""
        attempts = preferences.get(db, self._settings).attempts
        released = claims.release_running(db, now=time.time(), attempts_allowed=attempts)
        if released:
            log.warning("%d jobs of a worker that died are taken up again", released)
        self._consumer.start()
        self._started = True
        notify("READY=1")

    def stop(self) -> None:
        """Give back what is being worked on, end the children and the consumer's threads."""
        notify("STOPPING=1")
        self._stopping = True
        self._aside.stop()
        for child in self._children:
            child.stop()
        if self._started:
            self._consumer.stop(graceful=True)
        self._queue.storage.close()
        for connection in self._connections:
            connection.close()

    def _tidy(self, db: Connection) -> None:
        self._store.sweep(STALE)
        self._aside.do("adoption", lambda own: take_in_forgotten(own, self._store, self._settings, self._aside.goes_on))

    def _back_up(self, db: Connection) -> None:
        if self._backup.is_due(db):
            self._aside.do("backup", self._backup.run)

    def _ring_due(self, db: Connection) -> None:
        if not self._is_paused():
            ring_due(db, self._queue, self._ring, now=time.time())

    def _reconcile(self, db: Connection) -> None:
        give_up(db, now=time.time(), attempts_allowed=preferences.get(db, self._settings).attempts)
        try:
            again = describe_again(db, self._settings.data / "models", now=time.time())
            if again:
                log.info("%d items that the sample model described are described again", again)
        except ModelError as error:
            log.warning("%s", error)

    def _look_at_choices(self, db: Connection) -> None:
        """Act at once where the owner has chosen another model or another number of workers."""
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

    def _shared_out(self) -> Settings:
        """Return the settings with the cores divided among the workers, where nobody has said how many each takes."""
        if self._settings.threads or self._workers == 1:
            return self._settings
        return replace(self._settings, threads=max(1, len(os.sched_getaffinity(0)) // self._workers))

    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until
