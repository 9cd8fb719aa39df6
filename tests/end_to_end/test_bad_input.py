"""Every bad file and every bad name, sent to one running appliance: told in a sentence, nothing left, nobody dead."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import bad_files
from box import Box, peak_megabytes

# As in tests/media/test_bad_files.py; with the sample model, the child takes 110 MB without any file.
MOST_OF_CHILD, MOST_OF_WEB = 320, 200
WORKER, CHILD, WEB = "worker", "appliance.work.inside", "web"


@dataclass
class Sent:
    """A running appliance, what it answered to each file, and who its processes were at the start."""

    box: Box
    answers: dict[str, tuple[int, Any]]
    first: dict[str, list[int]]

    def send(self, name: str, data: bytes) -> None:
        self.answers[name] = self.box.ask("POST", f"/api/v1/uploads?name={quote(name)}", data)

    def leftovers(self) -> list[str]:
        incoming = list((self.box.data / "incoming").iterdir())
        derived = [path for path in (self.box.data / "derived").rglob("*") if path.is_file() and path.suffix != ".webp"]
        return [str(path) for path in incoming + derived]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("input")
    box = Box(folder / "library", folder / "log.txt")
    box.start(environment={"SHOEBOX_UPLOAD_LIMIT_MB": "2048"})
    box.wait(lambda: box.processes(WORKER), "the worker")
    one = Sent(box, {}, {name: box.processes(name) for name in (WORKER, WEB)})
    for name, bad in bad_files.bad_files().items():
        one.send(name, bad.data)
    for name, (data, _) in bad_files.polyglots().items():
        one.send(name, data)
    box.wait(lambda: not any(box.ask("GET", "/api/v1/status")[1]["counts"].get(name) for name in OPEN), "the queue")
    yield one
    box.stop()


OPEN = ("pending", "processing")


@pytest.mark.parametrize("name", bad_files.bad_files())
def test_each_is_refused_or_fails_in_a_sentence_or_is_described(sent: Sent, name: str) -> None:
    bad = bad_files.bad_files()[name]
    status, told = sent.answers[name]
    if bad.status:
        assert (status, told["status"]) == (bad.status, bad.status)
        assert bad.says in told["detail"]
        assert told["next_step"]
        return
    assert status == 201
    item = sent.box.item(told["id"])
    if bad.says:
        assert item["status"] == "failed"
        assert bad.says in item["error"]
        assert item["error"].count(".") >= 2  # what it is, and what to do
    else:
        assert item["status"] == "completed"
        assert item["description"]


@pytest.mark.parametrize("name", bad_files.polyglots())
def test_a_file_of_two_kinds_is_served_as_the_one_it_was_taken_for(sent: Sent, name: str) -> None:
    data, mime = bad_files.polyglots()[name]
    number = sent.answers[name][1]["id"]
    assert sent.box.item(number)["status"] == "completed"
    connection = http.client.HTTPConnection("127.0.0.1", sent.box.port, timeout=60)
    connection.request("GET", f"/api/v1/items/{number}/original", headers=sent.box.allowed)
    answer = connection.getresponse()
    assert answer.read() == data
    assert answer.headers["Content-Type"] == mime
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    connection.close()


NAMES = {
    "../../../etc/passwd": "passwd",
    "/etc/passwd.png": "passwd.png",
    "..\\..\\boot.ini": "boot.ini",
    "%2e%2e%2fx.png": "%2e%2e%2fx.png",
    "nul\0byte.png": "nulbyte.png",
    "\x1b[31mred\r\n.png": "[31mred.png",
    "\u202egnp.exe": "gnp.exe",
    "x" * 300 + ".png": "x" * 196 + ".png",
    "写" * 100 + ".png": "写" * 65 + ".png",
    "CON": "_CON",
    "com1.png": "_com1.png",
    ".": "unnamed",
    "..": "unnamed",
    "...hidden.png": "hidden.png",
    "--version": "_--version",
    "trailing. . ": "trailing",
    "   ": "photo.png",
    "": "photo.png",
    "same.png": "same.png",
    "same.png ": "same.png",
    "e\u0301.png": "é.png",
    "é.png": "é.png",
    "🐕 🏖️.png": "🐕 🏖️.png",
    'x"; filename="y.exe\r\nX-Evil: 1': "x_; filename=_y.exeX-Evil_ 1",
}


def test_every_name_is_made_safe_and_every_file_kept(sent: Sent) -> None:
    originals = sent.box.data / "originals"
    before = {path for path in originals.rglob("*") if path.is_file()}
    numbers = []
    for index, (name, expected) in enumerate(NAMES.items()):
        data = bad_files.saved("PNG", size=(16 + index, 16))
        status, item = sent.box.ask("POST", f"/api/v1/uploads?name={quote(name, safe='')}", data)
        assert (status, item["name"]) == (201, expected)
        numbers.append((item["id"], data))
    for number, data in numbers:
        assert sent.box.ask("GET", f"/api/v1/items/{number}/original?download=1") == (200, data)
        assert sent.box.finished(number)["status"] == "completed"
    new = {path for path in originals.rglob("*") if path.is_file()} - before
    assert len(new) == len(NAMES)
    assert all(path.parent.parent.parent == originals for path in new)
    assert all(len(path.name.encode()) < 256 for path in new)


def test_four_gigabytes_are_refused_when_they_are_announced(sent: Sent) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sent.box.port, timeout=60)
    connection.putrequest("POST", "/api/v1/uploads?name=large.mp4")
    for header in sent.box.allowed.items():
        connection.putheader(*header)
    connection.putheader("Content-Length", str(4 << 30))
    connection.endheaders()
    answer = connection.getresponse()
    told = json.loads(answer.read())
    assert (answer.status, told["detail"]) == (413, "The file is larger than 2.1 GB.")
    connection.close()


def test_after_all_of_it_nothing_is_left_and_nobody_has_died_or_grown(sent: Sent) -> None:
    assert sent.leftovers() == []
    assert {name: sent.box.processes(name) for name in sent.first} == sent.first
    (child,) = sent.box.processes(CHILD)
    (web,) = sent.first[WEB]
    assert peak_megabytes(child) < MOST_OF_CHILD
    assert peak_megabytes(web) < MOST_OF_WEB
    log = sent.box.log.read_text()
    for word in ("Traceback", "ended in mid-work", "unexpectedly", "took longer"):
        assert word not in log


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"", "nothing but zeros"),
        (bad_files.saved("JPEG"), "larger than the 1 GB"),
        (bad_files.film("mp4", "libx264"), ""),
    ],
    ids=["zeros", "JPEG", "MP4"],
)
def test_four_sparse_gigabytes_on_the_command_line(tmp_path: Path, head: bytes, says: str) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.write(head)
        file.truncate(4 << 30)
    command = [
        sys.executable,
        "-m",
        "appliance",
        "describe",
        "--data",
        str(tmp_path),
        "--json",
        str(tmp_path / "large"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    line = json.loads(done.stdout)
    assert done.returncode == (1 if says else 0)
    assert (says in line["error"]) if says else line["description"]
    assert "Traceback" not in done.stderr
