"""The socket that systemd hands over: taken by the right process alone, and only where it is what the page needs."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from appliance.device import listening
from appliance.device.listening import home_name, lan_address, listening_socket, passed_socket
from appliance.errors import SettingsError

# Does what systemd does: the socket as descriptor 3, and the variables of the process that it becomes.
HAND_OVER = """
import os, socket, sys
passed = [socket.socket(fileno=int(word)) for word in sys.argv[1].split(",") if word]
for number, one in enumerate(passed):
    os.dup2(one.fileno(), 3 + number)
os.environ.update(LISTEN_FDS=str(len(passed)), LISTEN_PID=str(os.getpid() + int(sys.argv[2])), LISTEN_FDNAMES="web")
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""
TELL = """
import os
from appliance.device.listening import passed_socket
taken = passed_socket()
print(None if taken is None else taken.getsockname()[:2], sorted(name for name in os.environ if "LISTEN" in name))
"""


def hand_over(*sockets: socket.socket, other: int = 0, run: tuple[str, ...] = ("-c", TELL)) -> list[str]:
    """Return the command of a process that is handed the sockets; `other` added to its id makes it another's."""
    numbers = ",".join(str(one.fileno()) for one in sockets)
    return [sys.executable, "-c", HAND_OVER, numbers, str(other), *run]


def told(*sockets: socket.socket, other: int = 0) -> subprocess.CompletedProcess[str]:
    # High descriptors, so that none of them is in the place of another.
    high = [socket.socket(fileno=os.dup2(one.fileno(), 200 + number)) for number, one in enumerate(sockets)]
    try:
        return subprocess.run(
            hand_over(*high, other=other), pass_fds=[one.fileno() for one in high], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
    finally:
        for one in high:
            one.close()


def test_the_socket_is_taken_and_nothing_tells_of_it_any_more() -> None:
    with listening_socket("127.0.0.1", 0) as ours:
        assert told(ours).stdout == f"{ours.getsockname()} []\n"


def test_both_kinds_of_addresses_are_taken() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as ours:
        assert told(ours).stdout == f"{ours.getsockname()[:2]} []\n"


def test_what_is_meant_for_another_process_is_left_alone() -> None:
    with listening_socket("127.0.0.1", 0) as ours:
        assert told(ours, other=1).stdout == "None []\n"


def test_without_systemd_nothing_is_taken() -> None:
    environment = {"HOME": "/"}
    assert passed_socket(environment) is None
    assert environment == {"HOME": "/"}


def test_what_is_not_one_listening_socket_is_refused() -> None:
    with (
        listening_socket("127.0.0.1", 0) as first,
        listening_socket("127.0.0.1", 0) as second,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as idle,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as local,
    ):
        for wrong in ((first, second), (datagrams,), (idle,), (local,)):
            assert "SettingsError" in told(*wrong).stderr
    with pytest.raises(SettingsError, match="Something else"):
        passed_socket({"LISTEN_FDS": "two", "LISTEN_PID": str(os.getpid())})


def test_the_page_answers_on_the_socket_and_tells_its_address(data: Path) -> None:
    """From the first line to the last: a process as systemd starts it, with a port of its own that it must not take."""
    with listening_socket("127.0.0.1", 0) as ours:
        port = ours.getsockname()[1]
        os.dup2(ours.fileno(), 200)
        run = ("-m", "appliance", "web", "--data", str(data), "--host", "203.0.113.7", "--port", "1")
        with socket.socket(fileno=200) as high:
            process = subprocess.Popen(hand_over(high, run=run), pass_fds=[200], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Shoebox is at http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=60) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_service_without_a_network_has_no_address_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Walled(socket.socket):
        def __init__(self, *_: object) -> None:
            raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(listening.socket, "socket", Walled)
    assert lan_address() is None


def test_the_name_at_home_is_told_where_something_tells_it_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home_name(tmp_path) is None
    (tmp_path / "run/avahi-daemon").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 bytes
    with socket.socket(socket.AF_UNIX) as avahi:
        avahi.bind("run/avahi-daemon/socket")
        assert home_name(tmp_path) == f"{socket.gethostname().partition('.')[0]}.local"
        # Where setup has chosen another one than the computer's, that is told.
        (tmp_path / "etc/avahi").mkdir(parents=True)
        (tmp_path / "etc/avahi/avahi-daemon.conf").write_text("[server]\n#host-name=foo\nhost-name=shoebox\n")
        assert home_name(tmp_path) == "shoebox.local"
