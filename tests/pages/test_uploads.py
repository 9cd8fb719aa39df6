"""Uploads over a real socket: what is acknowledged is kept, what is not leaves nothing."""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar

import pytest

from appliance.library import items, jobs, preferences
from appliance.library import uploads as library_uploads
from appliance.pages import uploads
from appliance.records import Priority, Task


@pytest.fixture
def rung(shelf, running) -> list[int]:
    """The ids of the jobs that the bell of the running server rang for."""
    heard: list[int] = []
    app = running.server.app
    bell = app.state.box.bell
    original = bell.ring
    bell.ring = lambda job: (heard.append(job.id), original(job))
    return heard


def answer_of(connection: socket.socket) -> tuple[int, dict]:
    """Read one whole answer, however its body is framed."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or pytest.fail("closed without an answer")
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1]), json.loads(body)


def test_an_upload_is_kept_listed_and_its_work_asked_for(shelf, running, rung, png):
    data = png()
    status, item = running.upload(data, "Strand%20%C3%BC.png")
    assert status == 201
    assert item["duplicate"] is False
    assert (item["name"], item["kind"], item["status"], item["prepared"]) == ("Strand ü.png", "photo", "pending", False)
    assert item["sha256"] == hashlib.sha256(data).hexdigest()
    with shelf.box.library() as db:
        kept = items.get(db, item["id"])
        asked = jobs.open_for(db, item["id"])
    assert shelf.box.store.original(kept.path).read_bytes() == data
    assert [(job.task, job.priority) for job in asked] == [
        (Task.PREPARE, Priority.PREPARE),
        (Task.DESCRIBE, Priority.UPLOAD),
    ]
    assert rung == [job.id for job in asked]
    assert shelf.parts() == []


def test_the_same_bytes_again_answer_with_the_first_item(shelf, running, png):
    first = running.upload(png(), "one.png")[1]
    status, second = running.upload(png(), "two.png")
    assert status == 200
    assert second["duplicate"] is True
    assert (second["id"], second["name"]) == (first["id"], "one.png")
    assert len(list((shelf.box.settings.data / "originals").rglob("*.png"))) == 1
    assert shelf.parts() == []


def test_the_same_bytes_at_the_same_time_are_one_item(shelf, running, png):
    answers: list[tuple[int, dict]] = []
    threads = [threading.Thread(target=lambda: answers.append(running.upload(png()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] * 5 + [201]
    assert len({item["id"] for _, item in answers}) == 1
    assert shelf.parts() == []


def test_describing_on_upload_can_be_off(shelf, running, png):
    with shelf.box.library() as db:
        preferences.set(db, "auto_process_on_upload", False)
    _, item = running.upload(png())
    with shelf.box.library() as db:
        assert [job.task for job in jobs.open_for(db, item["id"])] == [Task.PREPARE]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "photo.png"),
        ("?name=", "photo.png"),
        ("?name=..%2F..%2Fetc%2Fpasswd.png", "passwd.png"),
        ("?name=a%00b%E2%80%AE.png", "ab.png"),
        ("?name=%FF.png", "\ufffd.png"),
        ("?name=%2Fetc%2Fpasswd", "passwd"),
        ("?name=..%5C..%5Cwin.ini", "win.ini"),
        ("?name=%252e%252e%252fetc%252fpasswd.png", "%2e%2e%2fetc%2fpasswd.png"),
        ("?name=%00", "unnamed"),
        ("?name=%20%20", "photo.png"),
        ("?name=..", "unnamed"),
        ("?name=CON.png", "_CON.png"),
        ("?name=-rf.png", "_-rf.png"),
        ("?name=%C3%28%A0%A1.png", "\ufffd(\ufffd\ufffd.png"),
        ("?name=%F0%9F%90%95.png", "🐕.png"),
        ("?name=" + "%E5%86%99" * 100 + ".png", "写" * 65 + ".png"),
        ("?name=a%22%0D%0ASet-Cookie%3A%20x%3D1.png", "a_Set-Cookie_ x=1.png"),
        ("?name=" + "x" * 990 + ".png", "x" * 196 + ".png"),
    ],
)
def test_names_are_made_safe(running, query, name, png):
    answer, body = running.request("POST", f"/api/v1/uploads{query}", png())
    assert (answer.status, json.loads(body)["name"]) == (201, name)


def test_the_same_name_twice_keeps_both(shelf, running, png):
    names = ["beach.png", "beach.png", "BEACH.png", "caf%C3%A9.png", "cafe%CC%81.png"]
    sent = [png(number) for number in range(len(names))]
    uploaded = [running.upload(data, name)[1] for data, name in zip(sent, names, strict=True)]
    with shelf.box.library() as db:
        paths = [items.get(db, item["id"]).path for item in uploaded]
    assert len(set(paths)) == len(names)
    assert [shelf.box.store.original(path).read_bytes() for path in paths] == sent
    assert [item["name"] for item in uploaded] == ["beach.png", "beach.png", "BEACH.png", "café.png", "café.png"]


def test_a_form_is_told_to_send_the_bytes_alone(shelf, running, png):
    body = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + png() + b"\r\n--x--\r\n"
    answer, text = running.request("POST", "/api/v1/uploads", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 400
    assert "curl --data-binary @FILE" in json.loads(text)["next_step"]
    assert shelf.parts() == []


@pytest.mark.parametrize(
    ("body", "headers", "query", "status", "kind"),
    [
        (b"just some words, whatever the name says", {}, "name=holiday.jpg", 415, "unsupported-media"),
        (b"\0" * 5000, {}, "", 415, "unsupported-media"),
        (b"", {}, "", 400, "request"),
        (b"", {"Content-Length": "many"}, "", 400, None),
        (b"\x89PNG", {}, "name=" + "x" * 1001, 400, "request"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_and_leaves_nothing(shelf, running, body, headers, query, status, kind):
    answer, text = running.request("POST", f"/api/v1/uploads?{query}", body, headers)
    assert answer.status == status
    if kind is not None:
        assert answer.headers["Content-Type"] == "application/problem+json"
        told = json.loads(text)
        assert (told["type"], told["status"]) == (f"urn:shoebox:{kind}", status)
        assert told["title"]
        assert told["detail"]
        assert told["next_step"]
    assert shelf.count() == 0
    assert shelf.parts() == []


def test_a_wrong_file_is_refused_by_its_first_bytes(shelf, running, wait_for):
    with running.socket() as connection:
        connection.sendall(
            b"POST /api/v1/uploads?name=a.jpg HTTP/1.1\r\nHost: box\r\nContent-Length: 2000000000\r\n\r\n"
        )
        connection.sendall(b"words " * 20000)
        assert answer_of(connection)[0] == 415
        # Whoever goes on sending is not cut off before he can have read the answer.
        connection.sendall(b"words " * 20000)
    wait_for(lambda: not shelf.parts())


def test_a_sender_that_reads_last_still_gets_the_answer(shelf, running):
    answer, _ = running.request("POST", "/api/v1/uploads?name=a.jpg", b"words " * 4_000_000)
    assert answer.status == 415
    assert shelf.parts() == []


@pytest.mark.parametrize(("limit_mb", "length", "status"), [(1, (1 << 20) + 1, 413), (1 << 20, (1 << 40) - 1, 507)])
def test_what_is_announced_too_large_is_refused_at_once(serving, limit_mb, length, status):
    with serving(upload_limit_mb=limit_mb).socket() as connection:
        head = f"POST /api/v1/uploads HTTP/1.1\r\nHost: box\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        assert answer_of(connection)[0] == status


def test_the_limit_holds_where_no_length_was_announced(shelf, serving, png):
    running = serving(upload_limit_mb=1)
    chunks = iter([png(), *[os.urandom(65536)] * 17])
    answer, _ = running.request("POST", "/api/v1/uploads", chunks)
    assert answer.status == 413
    assert shelf.parts() == []


def test_a_body_without_announced_length_is_taken_in(running, png):
    data = png(3)
    chunks = iter([data[:20], data[20:]])
    answer, body = running.request("POST", "/api/v1/uploads", chunks)
    assert answer.status == 201
    assert json.loads(body)["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("abort", [True, False])
def test_a_cut_upload_leaves_nothing(shelf, running, abort, png, wait_for):
    with running.socket() as connection:
        connection.sendall(b"POST /api/v1/uploads?name=a.png HTTP/1.1\r\nHost: box\r\nContent-Length: 900000\r\n\r\n")
        connection.sendall(png() + bytes(300_000))
        wait_for(lambda: shelf.parts())
        if abort:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: not shelf.parts())
    assert shelf.count() == 0
    assert running.upload(png(7))[0] == 201


def test_a_client_that_sends_on_is_told_why_a_large_wrong_file_was_refused(running):
    words = b"words " * (1 << 20)
    with running.socket() as client:
        client.sendall(b"POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 67108864\r\n\r\n")
        answer = b""
        for start in range(0, len(words), 65536):  # as curl does: send until the answer has come
            client.sendall(words[start : start + 65536])
            if select.select([client], [], [], 0.01)[0]:
                break
        while part := client.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 415 ")
    assert json.loads(body)["next_step"]


MEASURE = """
import json, sys, threading
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar
from appliance import settings
from appliance.device.listening import listening_socket
from appliance.pages.server import Server
from appliance.library import database

def rss():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS")) >> 10

given = settings.load(environment={}, file=Path("/none"), overrides=dict(data=sys.argv[1], host="127.0.0.1", port=0))
database.migrate(given.data / "library.db")
listening = listening_socket(given.host, given.port)
server = Server(given, listening)
thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
thread.start()  # prints the address
for line in sys.stdin:
    print(json.dumps({"rss": rss(), "heavy": [m for m in sys.argv[2].split() if m in sys.modules]}), flush=True)
server.should_exit = True
thread.join()
"""


def test_a_large_upload_does_not_grow_the_process_nor_import_what_decodes(data: Path, tmp_path: Path, png, new_key):
    small = tmp_path / "small.png"
    small.write_bytes(png())
    video = tmp_path / "long.mp4"
    with video.open("wb") as file:
        file.write(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
        file.truncate(300 << 20)
    heavy = "onnx onnxruntime av PIL pillow_heif torch transformers tokenizers"
    command = [sys.executable, "-c", MEASURE, str(data), heavy]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline().rpartition(":")[2])
        key = new_key(data / "library.db")

        def measure() -> dict:
            process.stdin.write("\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        def ask(method: str, path: str, file: Path | None = None, **headers: str) -> bytes:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(connection), (file or Path(os.devnull)).open("rb") as body:
                length = {"Content-Length": str(file.stat().st_size)} if file else {}
                connection.request(method, path, body if file else None, key | length | headers)
                return connection.getresponse().read()

        for path in ("/", "/settings", "/activity", "/add", "/api/v1/status", "/metrics"):
            ask("GET", path)
        ask("POST", "/api/v1/uploads?name=small.png", small)
        before = measure()
        answer = json.loads(ask("POST", "/api/v1/uploads?name=long.mp4", video))
        ask("GET", answer["urls"]["original"], Range=f"bytes=0-{64 << 20}")
        after = measure()
        process.stdin.close()
        assert process.wait(20) == 0
    assert answer["bytes"] == 300 << 20
    assert after["rss"] - before["rss"] < 64
    assert after["heavy"] == []


class Endless:
    """A request whose body never comes to its end."""

    query_params: ClassVar[dict[str, str]] = {}
    headers: ClassVar[dict[str, str]] = {}

    async def receive(self):
        await asyncio.Event().wait()


def test_an_upload_that_is_called_off_is_gone_without_waiting_for_a_thread(shelf, monkeypatch):
    async def run():
        task = asyncio.create_task(uploads.upload.fn(Endless(), shelf.box))
        while not shelf.parts():
            await asyncio.sleep(0.01)

        async def none_is_free(*_):
            await asyncio.Event().wait()

        await asyncio.sleep(0.1)
        monkeypatch.setattr(uploads.asyncio, "to_thread", none_is_free)
        for _ in range(2):  # by the server, and once more by the loop that ends
            task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize("moment", ["receive", "keep"])
def test_a_disk_that_goes_while_a_file_is_sent_is_said_and_nothing_acknowledged(
    shelf, client, png, moment, monkeypatch
):
    def gone(*_, **__):
        shelf.box.settings.data.rename(shelf.box.settings.data.with_name("away"))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(f"appliance.library.store.Store.{moment}", gone)
    answer = client.post("/api/v1/uploads?name=a.png", content=png())
    assert answer.status_code == 503
    assert "no longer in" in answer.json()["detail"]
    assert "Attach its disk again" in answer.json()["next_step"]


def test_a_library_that_goes_as_its_row_is_written_is_not_acknowledged(shelf, client, png, monkeypatch):
    accept = library_uploads.accept

    def last_moment(*arguments, **named):
        done = accept(*arguments, **named)
        shelf.box.settings.data.rename(shelf.box.settings.data.with_name("away"))
        return done

    monkeypatch.setattr(library_uploads, "accept", last_moment)
    assert client.post("/api/v1/uploads?name=a.png", content=png()).status_code == 503


def test_a_disk_that_fails_is_said(shelf, client, png, monkeypatch):
    def fail(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("appliance.library.store.Store.keep", fail)
    answer = client.post("/api/v1/uploads?name=a.png", content=png())
    assert (answer.status_code, answer.json()["detail"]) == (503, "The file could not be kept: Read-only file system.")
    assert shelf.parts() == []
