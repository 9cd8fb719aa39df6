"""What is not HTTP, or misuses it, against a real `shoebox web`: told in a sentence, nothing left, and on it goes."""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import bad_files
from box import Bare, Box, free_port, new_key, peak_megabytes

# The web process alone takes 90 MB; no request may make it hold more than a few megabytes of what was sent.
MOST_MEGABYTES = 200
PATIENCE = 2.0
# `shoebox web` as it is, but for its patience, so that the tests take seconds.
WEB = f"""
import sys
from appliance import cli
from appliance.pages import body, protocol, server
server.PATIENCE_SECONDS = 1
body.PATIENCE_SECONDS = protocol.HEAD_SECONDS = {PATIENCE}
body.LINGER_SECONDS = protocol.LINGER_SECONDS = 0.5
sys.exit(cli.main(sys.argv[1:]))
"""
UPLOAD = b"POST /api/v1/uploads?name=a.png HTTP/1.1\r\nHost: box\r\n"
PNG = bad_files.saved("PNG")


@dataclass
class Answer:
    """One answer: its status, its headers as they came, and its body."""

    status: int
    head: bytes
    body: bytes

    def sentence(self) -> str:
        """What a problem says, whole."""
        told = json.loads(self.body)
        assert told["status"] == self.status
        assert told["detail"]
        assert told["next_step"]
        return f"{told['detail']} {told['next_step']}"


class Web(Box):
    """`shoebox web` with less patience, and how many files a test had it keep."""

    kept = 0

    def start_web(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-c", WEB, "web", "--data", str(self.data), "--host", "127.0.0.1"]
        command += ["--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ})
        self.wait(self.is_ready, "the page to answer")
        self.key = new_key(self.data)

    def connect(self) -> socket.socket:
        return Bare(self.port, self.allowed, 30)

    def say(self, *parts: bytes, end: bool = False) -> Answer | None:
        """Send bytes as they are and return the answer, None where there is none."""
        with self.connect() as connection:
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:  # refused already; the answer lies there
                    break
            if end:
                connection.shutdown(socket.SHUT_WR)
            return heard(connection)

    def parts(self) -> list[str]:
        return [path.name for path in (self.data / "incoming").iterdir()]

    def count(self) -> int:
        return sum(1 for path in (self.data / "originals").rglob("*") if path.is_file())


def heard(connection: socket.socket) -> Answer | None:
    """Read one whole answer."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
    except ConnectionResetError:
        return None
    return Answer(int(head.split()[1]), head, body)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("http")
    one = Web(folder / "library", folder / "log.txt")
    one.start_web()
    yield one
    one.stop()


@pytest.fixture
def web(running: Web) -> Iterator[Web]:
    """The one web process; whatever a test did, it answers at once, has kept nothing and has not grown."""
    process, before = running.process, running.count()
    running.kept = 0
    yield running
    assert running.process is process
    assert process is not None
    assert process.poll() is None
    assert running.ask("GET", "/health/ready")[0] == 200
    running.wait(lambda: running.parts() == [], "what was left to go")
    assert running.count() == before + running.kept
    assert peak_megabytes(process.pid) < MOST_MEGABYTES
    assert "Traceback" not in running.log.read_text()


def length(value: bytes) -> bytes:
    return UPLOAD + b"Content-Length: " + value + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (length(b"-5") + PNG, 400),
        (length(b"many") + PNG, 400),
        (length(b"1e3") + PNG, 400),
        (length(b"+100") + PNG, 400),
        (length(b"9" * 40) + PNG, 400),
        (UPLOAD + b"Content-Length: 10\r\nContent-Length: 20\r\n\r\n" + PNG, 400),
        (UPLOAD + b"Content-Length: 10, 20\r\n\r\n" + PNG, 400),
        (
            UPLOAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            400,
        ),
        (UPLOAD + b"Transfer-Encoding: gzip\r\n\r\n" + PNG, 400),
        (UPLOAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
        (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + PNG, 400),
        (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + PNG, 400),
        (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFFFFFF\r\n" + PNG, 400),
        (length(str(1 << 44).encode()), 413),
        (b"POST /api/v1/uploads HTTP/1.1\r\nContent-Length: 4\r\n\r\nword", 400),
        (b"complete nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(200), 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/NINE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: box\r\nBad Header: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: box\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: box\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: box\r\n" + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: box\r\n" + b"X: a\r\n" * 200_000 + b"\r\n", 400),
        (b"GET /?q=" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: box\r\n\r\n", 400),
        (b"GET /" + b"a/" * 500_000 + b" HTTP/1.1\r\nHost: box\r\n\r\n", 400),
    ],
)
def test_a_request_that_cannot_be_one_is_told_so(web: Web, request_bytes: bytes, status: int) -> None:
    answer = web.say(request_bytes)
    assert answer is not None
    assert answer.status == status
    assert b"application/problem+json" in answer.head.lower()
    assert answer.sentence()


def test_a_refusal_is_heard_by_a_sender_who_is_still_sending(web: Web) -> None:
    with web.connect() as connection:
        connection.sendall(b"complete nonsense\r\n\r\n")
        connection.recv(1, socket.MSG_PEEK)
        for _ in range(3):
            connection.sendall(b"a" * 100_000)
            time.sleep(0.05)  # long enough for a reset to come back
        answer = heard(connection)
        assert answer is not None
        assert answer.status == 400
        assert connection.recv(1) == b""  # the answer has an end, though the connection is still open
        with pytest.raises(ConnectionError):  # noqa: PT012 - how often the sender gets through is not the matter
            for _ in range(100):
                connection.sendall(b"a")
                time.sleep(0.1)


def test_the_same_lines_without_the_mistake_are_understood(web: Web) -> None:
    answer = web.say(length(str(len(PNG)).encode()) + PNG + b"GET / HTTP/1.1\r\nHost: box\r\n\r\n")
    assert answer is not None
    assert answer.status == 201
    web.kept = 1


def test_what_comes_after_a_refused_request_is_not_taken_for_another(web: Web) -> None:
    smuggled = b"POST /api/v1/items/1/describe HTTP/1.1\r\nHost: box\r\nContent-Length: 0\r\n\r\n"
    with web.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled)
        data = b""
        while piece := connection.recv(65536):
            data += piece
    assert data.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("framing", [b"Content-Length: 900000", b"Transfer-Encoding: chunked"])
def test_an_upload_cut_in_the_middle_leaves_nothing(web: Web, framing: bytes, reset: bool) -> None:
    body = PNG + bytes(300_000)
    if b"chunked" in framing:
        body = f"{len(body) + 100_000:x}\r\n".encode() + body
    with web.connect() as connection:
        connection.sendall(UPLOAD + framing + b"\r\n\r\n" + body)
        web.wait(web.parts, "the upload to begin")
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_more_than_was_announced_is_not_part_of_the_file(web: Web) -> None:
    answer = web.say(length(b"40") + PNG)  # too short an announcement: cut by the sender himself
    assert answer is not None
    assert answer.status == 201  # told apart later, when it is opened: it ends too early
    item = json.loads(answer.body)
    assert item["bytes"] == 40
    web.kept = 1


def test_whoever_sends_a_byte_now_and_then_is_not_waited_for_forever(web: Web) -> None:
    with web.connect() as connection:
        connection.sendall(length(b"5000000") + PNG)
        connection.settimeout(0.2)
        data = b""
        for _ in range(round(20 * PATIENCE)):  # each byte would start a mere limit on silence anew
            try:
                connection.sendall(b"x")
                data += connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if data:
                break
    assert data.startswith(b"HTTP/1.1 408 ")


def test_many_slow_ones_hold_nobody_else_up_and_are_hung_up_on(web: Web) -> None:
    upload = length(b"900000") + PNG + bytes(70_000)
    beginnings = (
        b"",  # a browser that connects ahead
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: box\r\nX: a\r\n",
        b"POST /settings HTTP/1.1\r\nHost: box\r\nContent-Length: 90\r\n\r\nq",
        length(b"5000") + PNG,
        upload,
    )
    waiting = [(web.connect(), beginning) for beginning in beginnings for _ in range(60)]
    try:
        for connection, beginning in waiting:
            connection.sendall(beginning)
        web.wait(lambda: len(web.parts()) >= 60, "the uploads to begin")
        for path in ("/health/ready", "/", "/api/v1/status"):
            assert web.ask("GET", path)[0] == 200
        for connection, beginning in waiting:
            answer = heard(connection)  # or hung up without a word, where nothing was asked
            assert (answer is None) if not beginning else (answer is not None and answer.status == 408)
            assert answer is None or b"Send it again" in answer.body
    finally:
        for connection, _ in waiting:
            connection.close()


def test_ten_thousand_parts_of_a_form(web: Web) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + PNG[:50] + b"\r\n"
    body = part * 10_000 + b"--x--\r\n"
    answer = web.say(
        UPLOAD + b"Content-Type: multipart/form-data; boundary=x\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    )  # fmt: skip
    assert answer is not None
    assert answer.status == 400
    assert "curl --data-binary @FILE" in answer.sentence()


def test_ten_thousand_chunks_of_a_byte(web: Web) -> None:
    data = PNG + bytes(10_000 - len(PNG))
    body = b"".join(b"1;ext=%d\r\n%c\r\n" % (index, byte) for index, byte in enumerate(data)) + b"0\r\n\r\n"
    answer = web.say(UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert answer is not None
    assert answer.status == 201
    assert json.loads(answer.body)["bytes"] == 10_000
    web.kept = 1


def ask(web: Web, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    return web.ask(method, path, body, headers)


DEEP = "[" * 30_000 + "]" * 30_000


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("POST", "/api/v1/uploads", '{"file": "beach.jpg"}', "application/json", 415),
        ("POST", "/api/v1/uploads?name=a.jpg&name=b.jpg", "words", "image/jpeg", 415),
        ("PUT", "/api/v1/uploads", "x", "image/png", 405),
        ("GET", "/api/v1/uploads", None, "", 405),
        ("PUT", "/api/v1/items/1", None, "", 405),
        ("BREW", "/api/v1/items", None, "", 405),
        ("GET", "/api/v1/nothing", None, "", 404),
        ("GET", "/api/v1/items/99999999999999999999", None, "", 404),
        ("GET", "/api/v1/items/abc", None, "", 404),
        ("GET", "/api/v1/items?limit=many", None, "", 400),
        ("GET", "/api/v1/items?cursor=%00%FF", None, "", 404),
        ("GET", "/api/v1/items?status=%F0%9F%A6%84", None, "", 400),
        ("PATCH", "/api/v1/settings", DEEP, "application/json", 400),
        ("PATCH", "/api/v1/settings", '{"beams": ' + DEEP[:20_000] + "}", "application/json", 400),
        ("PATCH", "/api/v1/settings", '{"beams": {"a": [1]}}', "application/json", 422),
        ("PATCH", "/api/v1/settings", '{"beams": 1e400}', "application/json", 400),
        ("PATCH", "/api/v1/settings", '{"beams": ' + "9" * 5000 + "}", "application/json", 400),
        ("PATCH", "/api/v1/settings", "[]", "application/json", 400),
        ("PATCH", "/api/v1/settings", "\xff\xfe", "application/json", 400),
        ("PATCH", "/api/v1/settings", "x" * 70_000, "application/json", 413),
    ],
)
def test_wrong_types_methods_and_numbers(
    web: Web, method: str, path: str, body: str | None, kind: str, status: int
) -> None:
    code, told = ask(web, method, path, body and body.encode("latin-1"), {"Content-Type": kind} if kind else {})
    assert (code, told["status"]) == (status, status)
    assert told["detail"]
    assert told["next_step"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("&".join(f"beams={index}" for index in range(6000)), 400),
        ("&".join(f"field{index}=1" for index in range(4000)), 400),
        ("beams=1&" * 10_000, 413),
        ("beams[]=1&beams[x][y]=2", 400),
        ("beams=%FF%FE", 422),
        ("beams=" + "9" * 5000, 422),
        ('{"beams": 1}', 400),
        ("beams=1\0\0", 422),
    ],
)
def test_forms_that_the_page_never_sends(web: Web, body: str, status: int) -> None:
    code, page = ask(web, "POST", "/settings", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert code == status
    assert b"<!doctype html>" in page.lower()
    listed = ask(web, "GET", "/api/v1/settings")[1]["settings"]
    assert next(one["value"] for one in listed if one["name"] == "beams") == 0


def test_a_get_with_a_body_is_answered_and_the_body_passed_over(web: Web) -> None:
    answer = web.say(b"GET /api/v1/status HTTP/1.1\r\nHost: box\r\nContent-Length: 5\r\n\r\nwords")
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/", "/add", "/settings", "/activity", "/health/live", "/health/ready", "/metrics", "/nothing"]
)
def test_head_answers_as_get_does_without_the_body(web: Web, path: str) -> None:
    asked = b"%s " + path.encode() + b" HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n"
    got = {}
    for method in (b"GET", b"HEAD"):
        with web.connect() as connection:
            connection.sendall(asked % method)
            data = b""
            while piece := connection.recv(65536):
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = {line.lower() for line in head.split(b"\r\n") if not re.match(rb"(?i)date|content-length: ", line)}
        got[method] = lines, len(body)
    assert got[b"HEAD"][0] == got[b"GET"][0]
    assert got[b"HEAD"][1] == 0 < got[b"GET"][1]


def test_garbage_in_the_middle_of_a_body_that_was_refused_already(web: Web) -> None:
    with web.connect() as connection:
        words = b"words " * 20_000
        connection.sendall(UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(words) + words)
        answer = heard(connection)
        assert answer is not None
        assert answer.status == 415
        connection.sendall(b"\r\nthis is no chunk\r\n")
        connection.settimeout(10)
        assert connection.recv(10) == b""


def test_many_clients_that_come_and_go_at_once(web: Web) -> None:
    def noise(seed: int) -> None:
        for index in range(20):
            with web.connect() as connection:
                connection.sendall(length(b"100000")[: 20 + seed * 3 + index] + os.urandom(50))
                if index % 2:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    threads = [threading.Thread(target=noise, args=(seed,)) for seed in range(10)]
    for thread in threads:
        thread.start()
    assert web.ask("GET", "/")[0] == 200
    for thread in threads:
        thread.join()


def test_an_upload_that_is_under_way_when_the_page_stops_leaves_nothing(tmp_path: Path) -> None:
    web = Web(tmp_path / "library", tmp_path / "log.txt")
    web.start_web()
    with web.connect() as connection, web.connect() as large:
        connection.sendall(length(b"5000000") + PNG + bytes(300_000))
        large.sendall(length(b"90000000") + PNG)
        stopping = threading.Event()

        def on_and_on() -> None:  # so that it is called off while a piece is written
            while not stopping.is_set():
                try:
                    large.sendall(bytes(1 << 20))
                except OSError:
                    return

        sending = threading.Thread(target=on_and_on)
        sending.start()
        web.wait(lambda: len(web.parts()) == 2, "the uploads to begin")
        assert web.stop() == 0
        stopping.set()
        sending.join()
        answer = heard(connection)
        assert answer is not None
        assert answer.status == 503
        assert "again in a minute" in answer.sentence()
    assert web.parts() == []
    assert web.count() <= 1
    assert "Traceback" not in web.log.read_text()
