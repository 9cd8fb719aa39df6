"""What systemd is told, on a real socket."""

import os
import socket
from pathlib import Path

import pytest

from appliance.device.notify import notify, watchdog_seconds


def test_notify_reaches_the_socket(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        assert notify("READY=1", {"NOTIFY_SOCKET": str(address)})
        assert systemd.recv(100) == b"READY=1"


def test_notify_reaches_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0shoebox-test-{os.getpid()}")
        assert notify("WATCHDOG=1", {"NOTIFY_SOCKET": f"@shoebox-test-{os.getpid()}"})
        assert systemd.recv(100) == b"WATCHDOG=1"


def test_who_does_not_listen_holds_up_nobody(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        told = [notify("WATCHDOG=1", {"NOTIFY_SOCKET": str(address)}) for _ in range(10_000)]
    assert told[0]
    assert not told[-1]


def test_nobody_to_tell(tmp_path: Path) -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),  # it is another process that systemd waits for
        ({"WATCHDOG_USEC": "60000000", "NOTIFY_SOCKET": ""}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_systemd_hears_twice_in_the_time_it_waits(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds({"NOTIFY_SOCKET": "/run/notify", **environment}) == seconds
