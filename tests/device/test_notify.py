"""What systemd is told, on a real socket."""

import os
import socket
from pathlib import Path

from appliance.device.notify import notify


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


def test_nobody_to_tell(tmp_path: Path) -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})
