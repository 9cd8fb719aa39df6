"""Long work of the main thread's, done beside it by a thread of its own: the main thread has a watchdog to pet."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from appliance.errors import DamagedLibraryError, ShoeboxError
from appliance.library import database, opening
from appliance.library.database import Connection
from appliance.work.process import NICENESS

PATIENCE = 20.0  # seconds for the piece under way when all is to stop

log = logging.getLogger(__name__)


class Aside:
    """Does one piece of work after the other, each with its own connection; none is waiting twice."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._waiting: dict[str, Callable[[Connection], None]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._db: Connection | None = None
        self._stopping = False

    def do(self, name: str, work: Callable[[Connection], None]) -> None:
        """Have `work` done; an error is logged."""
        with self._lock:
            if self._stopping:
                return
            self._waiting[name] = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="aside", daemon=True)
                self._thread.start()

    def goes_on(self) -> bool:
        """Return whether there is no need to hurry; what takes long asks now and then."""
        return not self._stopping

    def stop(self) -> None:
        """Let go of what waits, interrupt what is under way, and wait for its end."""
        with self._lock:
            self._stopping = True
            self._waiting.clear()
            thread = self._thread
        end = time.monotonic() + PATIENCE
        while thread is not None and thread.is_alive() and time.monotonic() < end:
            with self._lock:
                if self._db is not None:
                    self._db.interrupt()  # again and again: it ends only the statement that runs at this moment
            thread.join(0.1)

    def _run(self) -> None:
        os.nice(NICENESS)  # of this thread alone, on Linux
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                name = next(iter(self._waiting))
                work = self._waiting.pop(name)
            try:
                with database.explained(), closing(database.connect(self._data / "library.db")) as db:
                    with self._lock:
                        self._db = db
                    try:
                        work(db)
                    finally:
                        with self._lock:
                            self._db = None
            except DamagedLibraryError as error:
                log.critical("%s: %s", name, error)
                opening.call_for_restart(self._data)
            except ShoeboxError as error:
                log.warning("%s: %s", name, error)
            except Exception:  # the edge of a thread: whatever it is, the next time tries again
                if not self._stopping:
                    log.exception("%s failed", name)
