"""The server: where it says it is, how it stops, what it says where it cannot start."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from appliance.errors import LibraryError, SettingsError
from appliance.library.serving import served_since
from appliance.pages import server
from appliance.pages.server import addresses, lan_address, listening_socket, serve
from box import Bare

SERVE = """
import sys
from pathlib import Path
from appliance import settings
from appliance.pages.server import serve
given = {"data": sys.argv[1], "port": 0, "host": "127.0.0.1", "state": sys.argv[1] + "/../state"}
sys.exit(serve(settings.load(environment={}, file=Path("/none"), overrides=given)))
"""


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_from_nothing_and_stops_when_told(data, stop, new_key):
    with subprocess.Popen([sys.executable, "-c", SERVE, str(data)], stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("Shoebox is at http://127.0.0.1:")
        assert served_since(data) > 0  # what was left in the data folder before is nobody's
        with Bare(int(line.rpartition(":")[2]), new_key(data / "library.db")) as listening:
            listening.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: box\r\n\r\n")
            heard = b""
            while b"event: status" not in heard:
                piece = listening.recv(65536)
                assert piece, heard
                heard += piece
            process.send_signal(stop)
            while piece := listening.recv(65536):
                heard += piece
            assert process.wait(30) == 0
    # Brought to its end, not cut off once uvicorn's patience was over.
    assert heard.endswith(b"\r\n0\r\n\r\n")


def test_a_port_that_is_taken_is_said_plainly(settings):
    with listening_socket("127.0.0.1", 0) as taken, pytest.raises(SettingsError, match="choose another"):
        serve(replace(settings, port=taken.getsockname()[1]))


def test_an_address_that_is_not_ours_is_said_plainly():
    with pytest.raises(SettingsError, match=r"cannot listen on 203\.0\.113\.7"):
        listening_socket("203.0.113.7", 0)
    with pytest.raises(SettingsError, match=r"cannot listen on no\.such\.name\.invalid"):
        listening_socket("no.such.name.invalid", 0)


def test_a_library_that_cannot_be_used_is_said_plainly(settings):
    (settings.data / "library.db").mkdir()
    with pytest.raises(LibraryError, match="cannot be opened"):
        serve(settings)


def test_addresses(monkeypatch):
    assert addresses("127.0.0.1", 8080) == ["Shoebox is at http://127.0.0.1:8080"]
    assert addresses("::1", 8080) == ["Shoebox is at http://[::1]:8080"]
    monkeypatch.setattr(server, "lan_address", lambda: "192.168.1.20")
    everywhere = "0.0.0.0"  # noqa: S104
    assert addresses(everywhere, 8080) == [
        "Shoebox is at http://127.0.0.1:8080",
        "From a phone on the same network: http://192.168.1.20:8080",
    ]
    monkeypatch.setattr(server, "lan_address", lambda: None)
    assert addresses(everywhere, 80) == ["Shoebox is at http://127.0.0.1:80"]


def test_the_lan_address_is_one_of_ours():
    address = lan_address()
    if address is not None:
        with listening_socket(address, 0):
            pass


def test_answering_questions_writes_nothing(running, shelf):
    data = shelf.box.settings.data
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    for path in ("/", "/api/v1/items", "/health/ready"):
        running.request("GET", path)
    after = {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.name != "library.db-shm"}
    assert after == {path: time for path, time in before.items() if path.name != "library.db-shm"}
    assert os.path.getsize(data / "library.db-wal") == 0
