"""A disk that is full at each write in turn: nothing acknowledged is lost, nothing half is left, and all goes on."""

import contextlib
import hashlib
import http.client
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from appliance.errors import StorageFullError
from appliance.library import database
from box import Box

PAGE = 4096
FIRST_PIECE = 64 << 10  # bytes; so much of an upload is on the disk before the rest is waited for
MOST_STEPS = 200


def photo(number: int, side: int = 170) -> bytes:
    """Return a picture that no compression makes smaller, and so has a size that a disk feels: about 87 KB."""
    made = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(made, "PNG")
    assert len(made.getvalue()) > FIRST_PIECE
    return made.getvalue()


def send(box: Box, content: bytes, name: str, meanwhile: Callable[[], None] = lambda: None) -> tuple[int, Any]:
    """Upload without announcing a length; `meanwhile` is called once the first piece is on the disk."""

    def pieces() -> Iterator[bytes]:
        yield content[:FIRST_PIECE]
        box.wait(lambda: any(part.stat().st_size for part in incoming(box)), "the first piece")
        meanwhile()
        yield content[FIRST_PIECE:]

    connection = http.client.HTTPConnection("127.0.0.1", box.port, timeout=60)
    try:
        connection.request("POST", f"/api/v1/uploads?name={name}", pieces(), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked", **box.allowed})  # fmt: skip
        answer = connection.getresponse()
        assert answer.status in {200, 201} or answer.headers["content-type"] == "application/problem+json"
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def incoming(box: Box) -> list[Path]:
    return list((box.data / "incoming").iterdir())


def check_told(answer: Any) -> None:
    """A refusal is told in a sentence and with what to do."""
    assert answer["type"] == "urn:shoebox:storage-full"
    assert "full" in answer["detail"]
    assert answer["next_step"].startswith("Make room")


def check_sound(box: Box, kept: dict[int, bytes]) -> None:
    """All that was acknowledged is there, nothing else is, and the page answers."""
    assert incoming(box) == []
    originals = [path for path in (box.data / "originals").rglob("*") if path.is_file()]
    wanted = sorted(hashlib.sha256(content).hexdigest() for content in kept.values())
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in originals) == wanted
    for path in ("/", "/activity", "/health/live"):
        assert box.ask("GET", path)[0] == 200, path
    for number, content in kept.items():
        assert box.ask("GET", f"/api/v1/items/{number}/original") == (200, content)
    check_quiet(box.log)


def check_quiet(log: Path) -> None:
    assert "Traceback" not in log.read_text(), log.read_text()[-6000:]


def attempts(data: Path) -> list[tuple[Any, ...]]:
    """Return task, state and attempts of every job."""
    return sqlite_says(data, "SELECT task, state, attempts FROM jobs ORDER BY id")


def sqlite_says(data: Path, question: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(data / "library.db")) as db:
        return db.execute(question).fetchall()


@pytest.mark.parametrize("what", ["bytes", "files", "bytes of a card"])
def test_an_upload_on_a_disk_that_fills_under_it(
    disk_of: Callable[..., Any],
    card_of: Callable[..., Any],
    box_on: Callable[[Path], Box],
    what: str,
    record_property: Any,
) -> None:
    """Swept page by page, and file by file, from nothing left to just enough."""
    disk = card_of() if "card" in what else disk_of()
    box = box_on(disk.data)
    box.start(("web",))
    kept: dict[int, bytes] = {}
    found: Counter[str] = Counter()
    for round_ in range(2):  # the second one with a folder and a write-ahead log that are there already
        content = photo(round_)
        for step in range(MOST_STEPS):
            disk.make_room()
            fill = (
                (lambda step=step: disk.fill(step * PAGE))
                if "bytes" in what
                else lambda step=step: disk.fill_files(step)
            )
            status, answer = send(box, content, f"{round_}.png", fill)
            found[f"{status} {answer.get('detail', '')}"] += 1
            if status == 201:
                kept[answer["id"]] = content
            else:
                assert status == 507, answer
                check_told(answer)
            if disk.free < 1 << 20 and "card" not in what:
                status, ready = box.ask("GET", "/health/ready")
                assert status == 507
                check_told(ready)
            check_sound(box, kept)
            if len(kept) > round_:
                break
        assert len(kept) == round_ + 1
    assert sum(found.values()) > 2, "it never was full"
    record_property("answers", dict(found))
    print(what, dict(found))


def test_an_upload_that_is_announced_is_refused_before_it_comes(
    disk_of: Callable[..., Any], box_on: Callable[[Path], Box]
) -> None:
    disk = disk_of()
    box = box_on(disk.data)
    box.start(("web",))
    for left in (0, PAGE, 1 << 19, (1 << 20) + 10 * PAGE):
        disk.fill(left)
        status, answer = box.ask("POST", "/api/v1/uploads?name=a.png", photo(1, side=700))
        assert status == 507
        assert answer["next_step"].startswith("Make room")
        check_sound(box, {})


WORKER = """
import sys
from pathlib import Path
from appliance import cli
from appliance.errors import StorageFullError
from appliance.library.store import Store
from appliance.work import hold

def check(store):
    if Path(sys.argv[2]).exists():
        raise StorageFullError("Not yet.")

# Without its look ahead the worker meets the full disk at each write; and it tries again at once.
Store.check = check
hold.PAUSE = 0.1
sys.exit(cli.main(["worker", "--data", sys.argv[1]]))
"""


@pytest.mark.parametrize("what", ["bytes", "files"])
def test_a_worker_that_meets_the_full_disk_at_each_write(
    disk_of: Callable[..., Any], box_on: Callable[[Path], Box], tmp_path: Path, what: str
) -> None:
    """Room comes back page by page, and file by file; each item costs one attempt and ends completed."""
    disk = disk_of()
    box = box_on(disk.data)
    box.start(("web",))
    kept = {}
    for number in range(3):
        status, item = send(box, photo(number), f"{number}.png")
        assert status == 201
        kept[item["id"]] = photo(number)
    log, wait = tmp_path / "worker.txt", tmp_path / "wait"
    wait.touch()
    with log.open("wb") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(disk.data), str(wait)],
            stderr=stream,
            env={**os.environ, "SHOEBOX_THREADS": "1", "SHOEBOX_RETRY_DELAY": "0"},
        )
    try:
        box.wait(lambda: "Not yet." in log.read_text(), "the worker to have started")
        fill, size = (disk.fill, PAGE) if what == "bytes" else (disk.fill_files, 1)
        fill(0)
        wait.unlink()
        deadline = time.monotonic() + 100
        step = 0
        while any(box.item(number)["status"] != "completed" for number in kept):
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            assert worker.poll() is None, log.read_text()[-3000:]
            assert all(box.item(number)["status"] != "failed" for number in kept), attempts(disk.data)
            time.sleep(0.25)
            step += 1
            fill(step * size)
        print(what, "steps", step)
        assert {(state, tried) for _, state, tried in attempts(disk.data)} == {("done", 1)}
        assert list((disk.data / "derived").rglob("*.part")) == []
        check_sound(box, kept)
        check_quiet(log)
        assert "full" in log.read_text() or "no room" in log.read_text()
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0


def test_the_whole_box_on_a_disk_that_fills_goes_on_by_itself(
    disk_of: Callable[..., Any], box_on: Callable[[Path], Box]
) -> None:
    disk = disk_of(24 << 10)
    box = box_on(disk.data)
    box.start()
    kept = {}

    def add(number: int) -> int:
        status, item = send(box, photo(number), f"{number}.png")
        assert status == 201
        kept[item["id"]] = photo(number)
        return item["id"]

    box.finished(add(0))
    with box.held_up():  # or it would be done with all of them before the disk is full
        for number in range(1, 12):
            add(number)
        disk.fill()
    status, answer = box.ask("POST", "/api/v1/uploads?name=a.png", photo(100))
    assert status == 507
    check_told(answer)
    assert box.ask("GET", "/health/ready")[0] == 507
    assert box.ask("POST", "/api/v1/queue/retry-failed")[0] in {200, 202, 204, 507}
    time.sleep(4)  # long enough to say it each second, were it said each second
    check_sound(box, kept)
    assert box.log.read_text().count("full") <= 6, box.log.read_text()
    assert box.ask("GET", "/api/v1/status")[1]["counts"]["failed"] == 0
    assert box.ask("GET", "/api/v1/status")[1]["counts"]["completed"] < 12, "the disk filled too late for this test"
    disk.make_room()
    for number in kept:
        assert box.finished(number)["status"] == "completed"
    status, item = send(box, photo(100), "100.png")
    assert status == 201
    assert box.finished(item["id"])["status"] == "completed"
    assert {(state, tried) for _, state, tried in attempts(disk.data)} == {("done", 1)}
    check_sound(box, {**kept, item["id"]: photo(100)})


@pytest.mark.parametrize("left", [0, 1, 7, 8, 9, 16, 40])
def test_a_box_that_is_started_on_a_full_disk_begins_when_there_is_room(
    disk_of: Callable[..., Any], box_on: Callable[[Path], Box], left: int
) -> None:
    """`left` pages are free: too few for the page, for the page alone, or for both."""
    disk = disk_of()
    box = box_on(disk.data)
    box.start(("web",), environment={"SHOEBOX_RETRY_DELAY": "0"})
    status, item = send(box, photo(1), "1.png")
    assert status == 201
    box.stop()
    disk.fill(left * PAGE)
    command = [sys.executable, "-m", "appliance", "run", "--data", str(disk.data), "--port", str(box.port)]
    with box.log.open("ab") as log:
        box.process = subprocess.Popen(command, stdout=log, stderr=log)
    box.wait(lambda: "Make room" in box.log.read_text(), "a word about the full disk")
    if left == 0:
        time.sleep(8)  # a part that ended at once three times would have ended the whole by now
    assert box.process.poll() is None
    disk.make_room()
    box.wait(box.is_ready, "the page to answer")
    assert box.finished(item["id"])["status"] == "completed"
    assert {(state, tried) for _, state, tried in attempts(disk.data)} == {("done", 1)}
    check_sound(box, {item["id"]: photo(1)})
    assert "ended with status" not in box.log.read_text()


def test_a_library_that_is_made_on_a_full_disk(disk_of: Callable[..., Any]) -> None:
    disk = disk_of(4 << 10)
    for step in range(MOST_STEPS):
        disk.fill(step * PAGE)
        try:
            database.migrate(disk.data / "library.db")
        except StorageFullError:
            pass
        else:
            break
        disk.make_room()
    else:
        pytest.fail("there never was room enough")
    print("steps", step)
    assert step > 10
    db = database.connect(disk.data / "library.db")
    assert database.problems(db) == []
    db.close()
