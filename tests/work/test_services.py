"""What the doctor looks at around the library."""

import os
import socket
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from appliance.settings import Settings
from appliance.work import doctor, services
from appliance.work.explained import EXPLAINED


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """A program that answers everything with `body`, on the port it yields."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "verdict", "said"),
    [
        (b'{"status": "ok"}', "OK", "The page answers"),
        (b'{"status": "ok", "rescue": true}', "WRONG", "does not start"),
        (b"<h1>Another one</h1>", "WRONG", "Another program"),
        (b"[1]", "WRONG", "Another program"),
    ],
)
def test_who_answers_at_the_address(settings: Settings, tmp_path: Path, body: bytes, verdict: str, said: str) -> None:
    with answering(body) as port:
        found = services.address(replace(settings, port=port), tmp_path)
    assert (found.verdict, said in found.text) == (verdict, True)


def test_nobody_answers(settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = services.address(replace(settings, port=port), tmp_path)
    assert (found.verdict, "shoebox run" in found.next_step) == ("NOTE", True)


@contextmanager
def avahi(root: Path, answer: str) -> Iterator[list[bytes]]:
    """What tells names, answering one question."""
    path = root / "run/avahi-daemon/socket"
    path.parent.mkdir(parents=True)
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def once() -> None:
            one, _ = listener.accept()
            with one:
                asked.append(one.recv(100))
                one.sendall(answer.encode())

        thread = threading.Thread(target=once)
        thread.start()
        yield asked
        thread.join()


@pytest.fixture
def root() -> Iterator[Path]:
    """A short folder: the name of a socket may have 107 bytes."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_the_name_is_what_avahi_tells(settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "lan_address", lambda: "192.168.1.7")
    with avahi(root, "+ 2 0 192.168.1.7 shoebox-2.local\n") as asked:
        found = services.network_name(replace(settings, port=80), root)
    assert asked == [b"RESOLVE-ADDRESS 192.168.1.7\n"]
    assert (found.verdict, found.text) == ("OK", "The box is at http://shoebox-2.local and at http://192.168.1.7.")


def test_a_name_that_nobody_tells(settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "lan_address", lambda: "192.168.1.7")
    assert "apt-get install avahi-daemon" in services.network_name(settings, root).next_step
    with avahi(root, "-15 Timeout reached\n"):
        assert "is not told" in services.network_name(settings, root).text


def test_a_page_that_sees_no_network_asks_who_does(
    settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "lan_address", lambda: None)
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/dev").write_text("Inter-|\n face |\n    lo: 1 2 3\n")
    assert "cannot be asked" in services.network_name(settings, root).text
    with avahi(root, "+ 2 0 shoebox.local 192.168.1.7\n"):
        assert "http://192.168.1.7:8080" in services.network_name(replace(settings, port=8080), root).text
    (root / "run/avahi-daemon/socket").unlink()
    (root / "proc/net/dev").write_text("Inter-|\n face |\n    lo: 1 2 3\n  eth0: 0 0 0\n")
    assert services.network_name(settings, root).verdict == "NOTE"


def test_the_release_in_use(tmp_path: Path) -> None:
    assert "not installed by setup" in services.release_in_use(tmp_path).text
    folder = tmp_path / "opt/shoebox/releases"
    for name in ("0.1.0-aaaa", "0.2.0-bbbb"):
        (folder / name).mkdir(parents=True)
    os.symlink("releases/0.2.0-bbbb", tmp_path / "opt/shoebox/current")
    found = services.release_in_use(tmp_path)
    assert "release 0.2.0-bbbb. Kept to go back to: 0.1.0-aaaa." in found.text


# A process of the release in use, which is replaced while it runs.
REPLACED = """
import os, sys
from pathlib import Path
from appliance.work import services

root = Path(sys.argv[1])
os.symlink("releases/0.2.0-bbbb", root / "new")
os.replace(root / "new", root / "opt/shoebox/current")
found = services.release_in_use(root)
print(found.text, found.next_step)
"""


def test_a_release_that_was_replaced_while_it_runs_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "opt/shoebox"
    for name in ("0.1.0-aaaa", "0.2.0-bbbb"):
        venv.create(folder / "releases" / name, symlinks=True)
    os.symlink("releases/0.1.0-aaaa", folder / "current")
    python = [folder / "current/bin/python", "-c", REPLACED, tmp_path]
    done = subprocess.run(
        python, env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Release 0.1.0-aaaa runs; 0.2.0-bbbb is installed.")
    assert "Restart Shoebox" in done.stdout


def test_the_system_s_disk(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.data.mkdir(exist_ok=True)
    assert "share one disk" in services.system_disk(settings.data, settings.data).text
    monkeypatch.setattr(services, "LEAST_ON_SYSTEM", 1 << 62)
    found = services.system_disk(Path("/dev"), settings.data)
    assert (found.verdict, "apt-get clean" in found.next_step) == ("WRONG", True)


def test_a_service_that_was_given_up_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "run/shoebox/failed").mkdir(parents=True)
    (tmp_path / "run/shoebox/failed/worker").write_text("oom-kill")
    found = services.services(tmp_path)
    assert found.verdict == "WRONG"
    assert "Describing does not start" in found.text
    assert "more memory" in found.text


def test_every_check_is_explained_and_every_explanation_is_of_a_check(settings: Settings, tmp_path: Path) -> None:
    about = {one.about for one in doctor.around(settings, tmp_path)}
    assert about <= set(EXPLAINED)
    for one in EXPLAINED.values():
        assert one.what.endswith(".")
        assert one.why.endswith(".")
