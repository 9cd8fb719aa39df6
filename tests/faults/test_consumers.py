"""One and two real consumers on one library, as threads of a worker and as two workers: each item is worked on once."""

import io
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import counting
from appliance.library import database, items, statuses, uploads
from appliance.library.store import Store
from appliance.media import formats
from appliance.records import Status
from appliance.settings import Settings
from appliance.work import protocol
from appliance.work.queue import Bell

ITEMS = 500
PATIENCE = 100.0  # seconds; far longer than it takes

pytestmark = pytest.mark.timeout(400)

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Start a worker and wait until it has looked for what a dead one left, and listens."""
    processes: list[subprocess.Popen[bytes]] = []
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])

    def start(threads: int, *more: str) -> subprocess.Popen[bytes]:
        ready = tmp_path / f"ready{len(processes)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(ready))
            told.settimeout(PATIENCE)
            settled = replace(settings, retry_delay=0, model_load_timeout=60)
            command = [sys.executable, counting.__file__, protocol.encode_settings(settled), str(threads), *more]
            environment = {**os.environ, "PYTHONPATH": path, "NOTIFY_SOCKET": str(ready)}
            processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
            assert told.recv(100) == b"READY=1"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def db(settings: Settings) -> Iterator[database.Connection]:
    Store(settings.data).prepare()
    database.migrate(settings.data / "library.db")
    with closing(database.connect(settings.data / "library.db")) as db:
        yield db


def upload(db: database.Connection, settings: Settings) -> None:
    """Put all pictures into the library as the page does, and ring for them."""
    store, bell = Store(settings.data), Bell(settings.data)
    for number in range(ITEMS):
        made = io.BytesIO()
        counting.picture(number).save(made, "PNG")
        with store.receive() as incoming:
            incoming.write(made.getvalue())
            kind = formats.sniff(incoming.head)
            _, known, rung = uploads.accept(db, store, incoming, f"{number}.png", kind, describe=True)
        assert not known
        for job in rung:
            bell.ring(job)


def check_each_was_worked_on_once(db: database.Connection, settings: Settings) -> set[int]:
    """Wait until all is described; return the processes that did it."""
    end = time.monotonic() + PATIENCE
    while items.counts(db)[Status.COMPLETED] + items.counts(db)[Status.FAILED] < ITEMS:
        assert time.monotonic() < end, items.counts(db)
        time.sleep(0.1)
    done = counting.calls(settings.data)
    assert Counter(call.number for call in done) == dict.fromkeys(range(ITEMS), 1)
    rows = db.execute("SELECT state, attempts, count(*) FROM jobs GROUP BY state, attempts").fetchall()
    assert [tuple(row) for row in rows] == [("done", 1, 2 * ITEMS)]
    assert items.counts(db)[Status.COMPLETED] == ITEMS
    wrong = (
        "SELECT count(*) FROM items JOIN descriptions ON item_id = items.id WHERE text || '.png' <> 'picture ' || name"
    )
    assert db.execute(wrong).fetchone()[0] == 0
    assert db.execute("SELECT count(*) FROM descriptions").fetchone()[0] == ITEMS
    assert statuses.disagreements(db) == []
    return {call.process for call in done}  # each thread has a child of its own


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, b"Traceback" in said, b"taken over" in said) == (0, False, False), said


@pytest.mark.parametrize("threads", [1, 2])
def test_one_worker(db: database.Connection, settings: Settings, start: Start, threads: int) -> None:
    process = start(threads)
    upload(db, settings)
    assert len(check_each_was_worked_on_once(db, settings)) == threads
    end(process)


def test_two_workers(db: database.Connection, settings: Settings, start: Start) -> None:
    both = [start(1, "together") for _ in range(2)]
    upload(db, settings)
    assert len(check_each_was_worked_on_once(db, settings)) == 2
    for process in both:
        end(process)
