"""The page in the page's place: it says why, to whom and to what, and gives the order to start again."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.device import service
from appliance.errors import ServiceError
from appliance.library import opening
from appliance.pages import rescue
from appliance.pages.rescue import Rescue, Server
from appliance.settings import Settings
from appliance.work.diagnosis import diagnose
from appliance.work.finding import Finding

GONE = Finding("library", False, "The library that was in /data is not there.", "Attach its disk.")


def ask(port: int, method: str = "GET", path: str = "/", body: Any = None, **headers: str) -> tuple[int, Any, str]:
    """Return status, headers and text of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders that the box got."""
    found: list[str] = []
    monkeypatch.setattr(service, "orders", lambda: ("restart", "reboot", "shutdown"))
    monkeypatch.setattr(service, "give", found.append)
    return found


@pytest.fixture
def standing() -> Iterator[Callable[..., tuple[Rescue, int]]]:
    """Starts the server on what a look finds; returns what it says and its port."""
    servers: list[tuple[Server, threading.Thread]] = []

    def start(*findings: Finding) -> tuple[Rescue, int]:
        listening = socket.create_server(("127.0.0.1", 0))
        one = Rescue(lambda: list(findings))
        server = Server(listening, one)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        return one, listening.getsockname()[1]

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("path", ["/", "/items/1", "/settings", "/static/css/base.css", "/rescue/try-again"])
def test_every_address_says_what_is_wrong(standing: Any, orders: list[str], path: str) -> None:
    _, port = standing(GONE)
    status, headers, text = ask(port, path=path)
    assert status == 503
    assert headers["retry-after"] == "30"
    assert "The library that was in /data is not there." in text
    assert "Attach its disk." in text
    assert "Try again" in text
    assert re.findall(r"<script|src=|href=\"([^\"]+)\"", text) == [
        rescue.SHEET
    ]  # nothing to run, nothing from elsewhere
    assert "--paper" in ask(port, path=rescue.SHEET)[2]
    assert "script" not in headers["content-security-policy"]


def test_programs_are_told_as_programs_are(standing: Any) -> None:
    _, port = standing(GONE)
    for path, headers in (("/api/v1/items", {}), ("/health/ready", {}), ("/", {"Accept": "application/json"})):
        status, got, text = ask(port, path=path, **headers)
        assert (status, got["content-type"]) == (503, "application/problem+json")
        assert json.loads(text)["next_step"] == "Attach its disk."
    assert ask(port, path="/health/live")[0] == 200
    assert ask(port, "HEAD", "/")[::2] == (503, "")
    assert ask(port, "POST", "/api/v1/uploads?name=a.png", b"x" * 300_000)[0] == 503


def test_foreign_names_are_not_answered(standing: Any) -> None:
    _, port = standing(GONE)
    assert ask(port, Host="evil.example.com")[0] == 421


def press(port: int, **headers: str) -> tuple[int, Any, str]:
    token = re.search(r'name="token" value="([^"]+)"', ask(port)[2])[1]
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return ask(port, "POST", rescue.AGAIN, f"token={token}", **form)


def test_the_button_gives_the_order(standing: Any, orders: list[str]) -> None:
    one, port = standing(GONE)
    status, headers, text = press(port, Origin=f"http://127.0.0.1:{port}")
    assert (status, orders) == (200, ["restart"])
    assert "Shoebox starts again" in text
    assert headers["refresh"] == "15; url=/"
    assert one.over.is_set()


def test_nobody_else_gives_it(standing: Any, orders: list[str]) -> None:
    _, port = standing(GONE)
    assert press(port, Origin="http://evil.example.com")[0] == 403
    assert press(port, Sec_Fetch_Site="cross-site")[0] == 403
    assert press(port, Origin="http://[")[0] == 403
    assert ask(port, "GET", "//[")[0] == 503
    assert ask(port, "POST", rescue.AGAIN, "token=guessed")[0] == 403
    assert ask(port, "POST", rescue.AGAIN, b"token=" + b"x" * 10_000)[0] == 413
    for _ in range(rescue.TRIES):
        status, headers, _ = ask(port, "POST", rescue.AGAIN, "token=guessed")
    assert status == 429
    assert int(headers["retry-after"]) > 0
    assert press(port)[0] == 429
    assert orders == []


def test_a_box_that_takes_no_order_says_so(standing: Any, orders: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    one, port = standing(GONE)

    def refuse(_: str) -> None:
        raise ServiceError("The box did not let Shoebox do that.", "On the box, type: sudo reboot")

    monkeypatch.setattr(service, "give", refuse)
    status, _, text = press(port)
    assert (status, "On the box, type: sudo reboot" in text) == (503, True)
    assert not one.over.is_set()
    monkeypatch.setattr(service, "orders", tuple)
    assert "<button" not in ask(port)[2]


def test_what_has_passed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([[GONE], [GONE], []])
    one = Rescue(lambda: next(looks))
    assert not one.look_again()
    assert one.look_again()
    assert "Everything that it needs is there." in one.page().decode()


@pytest.fixture
def begun(settings: Settings) -> Settings:
    """A library that this box knows."""
    settings = replace(settings, state=settings.data.parent / "state")
    with opening.opened(settings, ZoneInfo("UTC")):
        pass
    return settings


def told(settings: Settings, tmp_path: Path, **environment: str) -> list[Finding]:
    given = {"SHOEBOX_STATE": str(settings.state), **environment}
    return diagnose({"data": str(settings.data)}, given, tmp_path / "none.toml", tmp_path / "root")


def test_a_sound_library_hinders_nothing(begun: Settings, tmp_path: Path) -> None:
    assert told(begun, tmp_path) == []


def test_a_disk_that_is_missing(begun: Settings, tmp_path: Path) -> None:
    shutil.rmtree(begun.data)
    begun.data.mkdir()  # the empty folder that it was mounted on
    (found,) = told(begun, tmp_path)
    assert "is not there" in found.text
    assert "Attach its disk" in found.next_step
    assert list(begun.data.iterdir()) == []


def test_a_damaged_database_is_the_next_start_s_business(begun: Settings, tmp_path: Path) -> None:
    (begun.data / "library.db").write_bytes(b"no database" * 500)
    assert told(begun, tmp_path) == []  # it is restored then, or begun anew from the originals
    with opening.opened(begun, ZoneInfo("UTC")):
        pass
    assert list(begun.data.glob("library.db.damaged-*"))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SHOEBOX_WORKERS": "secret"}, "The setting workers has a value that cannot be used."),
        ({"AI_BATCH_SIZE": "0"}, "The setting batch_size has a value"),
    ],
)
def test_a_setting_is_named_without_its_value(
    begun: Settings, tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    (found,) = told(begun, tmp_path, **environment)
    assert said in found.text
    assert "secret" not in f"{found.text}{found.next_step}"


@pytest.mark.parametrize(("written", "said"), [("port = = 1", "cannot be read"), ("my_code = 'x'", "does not know")])
def test_a_settings_file_that_is_broken(settings: Settings, tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "shoebox.toml"
    file.write_text(written)
    (found,) = diagnose({}, {}, file, tmp_path / "root")
    assert said in found.text
    assert "my_code" not in f"{found.text}{found.next_step}"


def test_what_systemd_knows_and_what_the_board_tells(begun: Settings, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    (runtime / "failed").mkdir(parents=True)
    (runtime / "failed/web").write_text("oom-kill killed")
    power = tmp_path / "root/sys/devices/platform/soc/soc:firmware/get_throttled"
    power.parent.mkdir(parents=True)
    power.write_text("50005")
    found = told(begun, tmp_path, RUNTIME_DIRECTORY=str(runtime))
    assert ["memory" in found[0].text, "too little power" in found[1].text] == [True, True]


COMMAND = [sys.executable, "-m", "appliance", "rescue"]


def test_the_command_stands_in_with_settings_that_cannot_be_used(tmp_path: Path, wait_for: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "SHOEBOX_HOST": "127.0.0.1", "SHOEBOX_PORT": str(port), "SHOEBOX_WORKERS": "many"}
    with subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        assert "The setting workers" in ask(port)[2]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_command_takes_the_socket_that_systemd_hands_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hand_over = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3);"
            "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); os.execv(sys.argv[2], sys.argv[2:])"
        )
        passed = str(listening.fileno())
        command = [sys.executable, "-c", hand_over, passed, *COMMAND, "--data", f"{tmp_path}/no/library"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[listening.fileno()]) as process:
            process.stdout.readline()
            assert "There is no folder" in ask(listening.getsockname()[1])[2]
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = ["--host", "127.0.0.1", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run([*COMMAND, *address], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "Stop the program that uses it" in ended.stderr


def test_it_ends_by_itself_once_what_was_wrong_is_over(
    begun: Settings, tmp_path: Path, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # which a thread may not
    monkeypatch.setenv("SHOEBOX_STATE", str(begun.state))
    begun.data.rename(tmp_path / "taken out")
    ended: list[int] = []
    given = {"data": str(begun.data), "host": "127.0.0.1", "port": 0}
    serving = threading.Thread(target=lambda: ended.append(rescue.serve(given)))
    serving.start()
    time.sleep(0.3)
    assert orders == []
    (tmp_path / "taken out").rename(begun.data)
    serving.join(20)
    assert (ended, orders) == ([0], ["restart"])
