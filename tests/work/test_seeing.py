"""What a real worker lets be seen: its log, why items failed, how often its child was replaced, its signs of life."""

import fcntl
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.library import claims, counters, jobs, preferences, schedule, status
from appliance.records import Status
from appliance.work import lock
from appliance.work.lock import only_worker, worker_runs

Box = Any
Until = Callable[..., None]
LINE = re.compile(r"<[2-7]>(?:appliance[\w.]*|huey[\w.]*) (?:\[(?P<fields>[^\]]*)\] )?(?P<message>.+)")


def test_every_line_of_a_worker_has_the_form_and_every_failure_its_reason(
    box: Box, until: Until, tmp_path: Path
) -> None:
    good = box.upload("red")
    reasons = {"blue": "child-died", "orange": "deadline", "yellow": "describing", "cyan": "describing"}
    items = {box.upload(colour).id: reason for colour, reason in reasons.items()}
    damaged = box.upload("red", note="damaged")
    original = box.store.original(damaged.path)
    original.write_bytes(original.read_bytes()[:60])
    log = tmp_path / "log"
    with log.open("wb") as stream:
        found = os.fstat(stream.fileno())
        journal = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        process = box.start(
            replace(box.settings, attempts=1, processing_timeout=10), stderr=stream, environment=journal
        )
        until(lambda: items_with(box, Status.FAILED) == 5)
        box.wait(good, Status.COMPLETED)
        process.terminate()
        assert process.wait(60) == 0
    said = []
    for line in log.read_text().splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        fields = dict(pair.split("=", 1) for pair in (match["fields"] or "").split())
        said.append((line[:3], match["message"], fields))
    described = [fields for _, message, fields in said if message == "described"]
    assert [fields["item"] for fields in described] == [str(good.id)]
    job = box.db.execute("SELECT id FROM jobs WHERE task = 'describe' AND item_id = ?", (good.id,)).fetchone()[0]
    assert (described[0]["job"], described[0]["attempt"], described[0]["task"]) == (str(job), "1", "describe")
    failed = [(level, int(fields["item"]), fields["reason"]) for level, message, fields in said if message == "failed"]
    assert sorted(failed) == sorted(("<4>", *pair) for pair in [*items.items(), (damaged.id, "damaged")])
    dies, _, _, breaks = items
    assert any("ZeroDivisionError" in message and fields["item"] == str(breaks) for _, message, fields in said)
    ended = [fields for _, message, fields in said if "ended in mid-work" in message]
    assert [(fields["item"], fields["status"]) for fields in ended] == [(str(dies), "-9")]
    assert all(fields["child"].isdigit() for fields in ended)
    for secret in ("a red picture", "red.png", "blue.png"):  # no descriptions, no names
        assert secret not in log.read_text()

    assert status.failures(box.db) == {"child-died": 1, "damaged": 1, "deadline": 1, "describing": 2}
    restarts = {"child-died": 1, "deadline": 1}
    assert counters.counts(box.db, counters.CHILD_RESTARTS) == restarts
    assert jobs.retry_failed(box.db, now=0) == 5
    assert status.failures(box.db) == {}
    assert counters.counts(box.db, counters.CHILD_RESTARTS) == restarts  # for ever


def items_with(box: Box, wanted: Status) -> int:
    """Return how many items have this status."""
    return int(box.db.execute("SELECT count(*) FROM items WHERE status = ?", (wanted,)).fetchone()[0])


def test_json_lines(box: Box) -> None:
    process = box.start(replace(box.settings, log="json"))
    item = box.wait(box.upload("red"), Status.COMPLETED)
    process.terminate()
    lines = [json.loads(line) for line in process.stderr.read().decode().splitlines()]
    (described,) = [line for line in lines if line["message"] == "described"]
    assert (described["item"], described["level"], described["model"]) == (item.id, "info", "fake")


def test_an_item_that_stopped_its_worker_has_a_reason_of_its_own(box: Box) -> None:
    box.upload("red", now=0)
    box.db.execute("DELETE FROM jobs WHERE task = 'prepare'")
    assert claims.claim_next(box.db, now=0, lease=1) is not None
    claims.give_up_expired(box.db, now=2, attempts_allowed=1)
    assert status.failures(box.db) == {"gave-up": 1}


class Systemd:
    """A socket that hears what services say of themselves."""

    def __init__(self, path: Path, watchdog: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(watchdog * 1e6))}

    def hear(self, seconds: float) -> bytes:
        """Return the next message, b"" where none came for so long."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(100)
        except TimeoutError:
            return b""

    def silence(self, seconds: float = 2, patience: int = 100) -> bool:
        """Return whether there comes to be no message for so long."""
        return any(self.hear(seconds) == b"" for _ in range(patience))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """Waits half a second for each sign of life."""
    heard = Systemd(tmp_path / "notify", 0.5)
    yield heard
    heard.close()


def test_the_worker_gives_signs_of_life_while_the_library_answers(box: Box, systemd: Systemd) -> None:
    process = box.start(environment=systemd.environment)
    assert systemd.hear(60) == b"READY=1"
    for _ in range(3):
        assert systemd.hear(60) == b"WATCHDOG=1"
    library = box.settings.data / "library.db"
    library.rename(library.with_name("away.db"))
    assert systemd.silence()
    library.with_name("away.db").rename(library)
    assert systemd.hear(60) == b"WATCHDOG=1"
    process.terminate()
    while (heard := systemd.hear(60)) == b"WATCHDOG=1":
        pass
    assert heard == b"STOPPING=1"


def test_a_worker_that_begins_anew_by_itself_is_not_said_to_stop(box: Box, systemd: Systemd) -> None:
    box.start(environment=systemd.environment)
    assert systemd.hear(60) == b"READY=1"
    preferences.set(box.db, "workers", 2)
    while (heard := systemd.hear(60)) == b"WATCHDOG=1":
        pass
    assert heard == b"READY=1"


def test_a_worker_whose_consumer_hangs_gives_no_more_signs_and_ends(box: Box, systemd: Systemd) -> None:
    box.tell("now", "2026-07-01T03:00:00+00:00")  # it asks every second whether a batch is due
    process = box.start(environment={**systemd.environment, "LONGEST_SILENCE": "10"})
    assert systemd.hear(60) == b"READY=1"
    assert systemd.hear(60) == b"WATCHDOG=1"
    while not schedule.last_slot(box.db, "nightly-videos"):  # this night's batches have run
        assert systemd.hear(60) == b"WATCHDOG=1"
    (box.settings.data / "hang").touch()
    box.tell("now", "2026-07-02T03:00:00+00:00")  # a batch is due, and the answer never comes
    while systemd.hear(60) == b"WATCHDOG=1":  # the last of them; then STOPPING=1
        pass
    (box.settings.data / "hang").unlink()  # or else it waits ten seconds for its thread
    assert process.wait(60) == 1
    assert systemd.hear(0.1) == b""
    assert b"the consumer hangs" in process.stderr.read()


def test_asking_whether_a_worker_runs(data: Path) -> None:
    assert not worker_runs(data)
    with only_worker(data):
        assert worker_runs(data)
    assert not worker_runs(data)
    assert not worker_runs(data / "nowhere")


def test_who_asks_keeps_no_worker_from_starting(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 40 * lock.PATIENCE)  # so that no stall counts
    asking = (data / "worker.lock").open("w")
    fcntl.flock(asking, fcntl.LOCK_SH)
    threading.Timer(0.4, asking.close).start()
    with only_worker(data):
        assert asking.closed
