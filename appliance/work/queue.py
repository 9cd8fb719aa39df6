"""The bell: a Huey queue of job ids in `queue.db`. The jobs table is the truth; this only says that there is work.

Whatever is lost here (Huey delivers at most once) `reconcile` rings for again, hence no retries, no results, and
`synchronous=NORMAL`: a power cut may cost the last rings, never a job.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huey import storage
from huey.api import Huey, Task
from huey.registry import Message
from huey.serializer import Serializer

from appliance.records import Job

FILE = "queue.db"
QueueError = storage.sqlite3.OperationalError  # busy, full or unreadable: the next try may go well

log = logging.getLogger(__name__)


class _Storage(storage.SqliteStorage):  # type: ignore[misc]  # huey has no types
    def _create_connection(self) -> Any:
        connection = super()._create_connection()
        connection.execute("PRAGMA synchronous = NORMAL")  # huey itself knows only FULL and OFF
        return connection


class _Json(Serializer):  # type: ignore[misc]
    """Messages as JSON: what reads the queue runs nothing that a message says, as unpickling would."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


class _Queue(Huey):  # type: ignore[misc]
    """Huey, for whose threads a queue that cannot be read for now is an empty one, told once and not as a traceback."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._told: dict[str, str] = {}

    def dequeue(self) -> Task | None:
        return self._tried("read", super().dequeue, None)

    def read_schedule(self, timestamp: Any = None) -> list[Task]:
        found: list[Task] = self._tried("looked through", lambda: super(_Queue, self).read_schedule(timestamp), [])
        return found

    def _tried(self, what: str, read: Callable[[], Any], nothing: Any) -> Any:
        try:
            found = read()
        except QueueError as error:
            if self._told.get(what) != str(error):
                self._told[what] = str(error)
                log.warning("the queue cannot be %s for now, and is tried again: %s", what, error)
            return nothing
        self._told.pop(what, None)
        return found


def open_queue(data: Path, *, patience: float = 5) -> Huey:
    """Return the queue in the data folder, creating its file where it is missing; wait `patience` seconds for its lock.

    Raises QueueError, and other errors of SQLite's where the file is damaged.
    """
    return _Queue(
        "shoebox",
        results=False,
        serializer=_Json(),
        storage_class=_Storage,
        filename=str(data / FILE),
        timeout=patience,
    )


def open_or_replace_queue(data: Path) -> Huey:
    """Return the queue in the data folder; a damaged file is thrown away, since the jobs table has all that it said."""
    try:
        return open_queue(data)
    except QueueError:
        raise
    except storage.sqlite3.DatabaseError as error:
        log.warning("the queue was damaged and is made anew: %s", error)
        for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
            (data / name).unlink(missing_ok=True)
        return open_queue(data)


def listen(queue: Huey, answer: Callable[[int], None]) -> Callable[[Job], None]:
    """Have `answer` called, in a consumer of `queue`, with the id of each job rung for; return what rings."""

    @queue.task(name="bell")  # type: ignore[untyped-decorator]
    def bell(job_id: int) -> None:
        answer(job_id)

    def ring(job: Job) -> None:
        queue.enqueue(bell.s(job.id, priority=job.priority))

    return ring


class Bell:
    """The web process's end of the queue, open only while it rings: Huey would keep a connection for each thread."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def ring(self, job: Job) -> None:
        """Say that `job` is waiting. A bell that cannot ring is logged: the worker looks for itself within a second."""
        try:
            queue = open_queue(self._data, patience=1)
            try:
                listen(queue, _deaf)(job)
            finally:
                queue.storage.close()
        except Exception as error:  # the job is safe in its table: nothing that ails the queue may fail an upload
            log.warning("the bell did not ring: %s", error, extra={"item": job.item_id, "job": job.id})


def _deaf(job_id: int) -> None:
    raise AssertionError(f"job {job_id} was given to a process that only rings")
