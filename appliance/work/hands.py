"""What does the jobs: the consumer's threads, each with a connection to the library and a captioner child."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from appliance.errors import DamagedLibraryError, LibraryError, SettingsError, StorageError
from appliance.library import claims, database, describer, notices, opening, preferences
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.records import Job, Level
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work import process, protocol
from appliance.work.child import Child
from appliance.work.consumer import Pulse
from appliance.work.hold import Hold
from appliance.work.reconcile import give_up
from appliance.work.rest import Rest
from appliance.work.steadyclock import SteadyClock
from appliance.work.steps import LEASE, run_job

PROVIDER = "provider"  # the name of the notice about what describing runs on

log = logging.getLogger(__name__)


class Hands:
    """`answer` is for the consumer's threads, all else for the one thread that watches over them."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        loader: str,
        clock: SteadyClock,
        rest: Rest,
        root: Path = Path("/"),
    ) -> None:
        self._settings = settings
        self._store = store
        self._loader = loader
        self._clock = clock
        self._rest = rest
        self._root = root
        self._own = threading.local()
        self._connections: list[Connection] = []
        self._children: list[Child] = []
        self._busy: set[str] = set()  # names of the threads that have a job
        self._owed: list[Job] = []  # claimed jobs that the disk has kept from being put back so far
        self._owing = threading.Lock()
        self._told: protocol.Loaded | None = None  # what the page says of what describes
        self._stopping = False
        self.hold = Hold(store)
        self.pulse = Pulse()
        self.draining = False  # nothing more is begun
        self.refused = False  # the chosen provider is: no description is begun
        self.damaged = False  # the library is, and the next start is to restore it
        self.count = preferences.get(self.connection(), settings).workers

    @property
    def idle(self) -> bool:
        """Whether no thread has a job."""
        return not self._busy

    def connection(self) -> Connection:
        """Return the calling thread's connection to the library."""
        if not hasattr(self._own, "connection"):
            self._own.connection = database.connect(self._settings.data / "library.db")
            self._connections.append(self._own.connection)
        connection: Connection = self._own.connection
        return connection

    def answer(self, job_id: int) -> None:
        """Do the most urgent job that is due, which need not be the one that was rung for."""
        if self._stopping or self.draining or self.hold.stands() or self._rest.resting or self._clock.was_set():
            return
        job = None
        with self._at_work():
            try:
                with database.explained():
                    db = self.connection()
                    now = self._clock.now()
                    self.put_back(db)
                    give_up(db, now=now, attempts_allowed=preferences.get(db, self._settings).attempts)
                    job = claims.claim_next(db, now=now, lease=LEASE, describing=not self.refused)
                    if job is None:
                        log.debug("nothing is due for the bell of job %d", job_id)
                        return
                    child = self._child()
                    try:
                        run_job(
                            db, self._store, child, self._settings, job, clock=self._clock.now, alive=self.pulse.beat
                        )  # fmt: skip
                        self._tell(db, child.loaded)
                    except SettingsError as error:
                        self._refuse(db, error)
            except StorageError as error:
                if job is not None:
                    self._owed.append(job)
                self.hold.begin(error)
            except DamagedLibraryError as error:
                self.let_go(error)
            except LibraryError as error:
                log.warning("a job was not done, and is tried again: %s", error)

    def try_provider(self, db: Connection) -> None:
        """Load the model, and say what came of it: on the chosen provider everything hangs.

        Raises CaptionerError, ModelError and their like.
        """
        with Child(self._shared_out(), loader=self._loader) as child:
            self._children.append(child)
            try:
                if not self._stopping:
                    child.load(settings=preferences.get(db, self._settings))
                    self._tell(db, child.loaded)
                    self.refused = False
            except SettingsError as error:
                self._refuse(db, error)
            finally:
                self._children.remove(child)

    def put_back(self, db: Connection) -> None:
        """Put back what the disk was to blame for, uncounted; raises StorageError where that is still so."""
        with self._owing:
            while self._owed:
                job = self._owed[0]
                claims.put_back(db, job, now=self._clock.now())
                self._owed.remove(job)  # not the last one: another thread may have added to them meanwhile

    def let_go(self, error: DamagedLibraryError) -> None:
        """Have every process let go of the library, so that the next start can restore it."""
        log.critical("%s", error)
        self.damaged = True
        opening.call_for_restart(self._settings.data)

    def stop(self) -> None:
        """Give back what is being worked on, and end the children."""
        self._stopping = True
        for child in self._children:
            child.stop()

    def close(self) -> None:
        """Close the connections of threads that have ended."""
        for connection in self._connections:
            connection.close()

    def _tell(self, db: Connection, loaded: protocol.Loaded | None) -> None:
        """Note what describes now, and put up or take down what the page says of it."""
        if loaded is None or loaded == self._told:
            return
        describer.note(db, loaded.model, loaded.provider)
        if loaded.warning:
            if notices.put_up(db, PROVIDER, loaded.warning):
                log.warning("%s", loaded.warning)
        else:
            notices.take_down(db, PROVIDER)
        self._told = loaded

    def _refuse(self, db: Connection, error: SettingsError) -> None:
        """Begin no description until the chosen provider can be had, and say so."""
        self.refused = True
        self._told = None
        if notices.put_up(
            db, PROVIDER, say("Nothing is described: {error}", error=error.message), error.next_step, level=Level.BAD
        ):
            log.error("nothing is described: %s", error)

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
            self._own.child = Child(self._shared_out(), loader=self._loader, root=self._root)
            self._children.append(self._own.child)
            if self._stopping:
                self._own.child.stop()
        child: Child = self._own.child
        return child

    def _shared_out(self) -> Settings:
        """Return the settings with the memory divided among the threads."""
        chosen = self._settings
        if self.count == 1:
            return chosen
        return replace(chosen, memory_limit_mb=process.memory_limit(chosen) // self.count >> 20)
