"""The page's signs of life, on a real socket, from a real process."""

import os
import socket
import subprocess
import sys

import pytest

SERVE = """
import sys
from pathlib import Path
from appliance import settings
from appliance.pages.server import serve
given = {"data": sys.argv[1], "port": 0, "state": sys.argv[1] + "/../state"}
sys.exit(serve(settings.load(environment={}, file=Path("/none"), overrides=given)))
"""


class Systemd:
    """A socket that hears what the page says of itself, and the page."""

    def __init__(self, folder, data, **environment):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        told = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), **environment}
        self.page = subprocess.Popen([sys.executable, "-c", SERVE, str(data)], stdout=subprocess.PIPE, env=told)

    def hear(self, seconds=60.0):
        """Return the next message, b"" where none came for so long."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(100)
        except TimeoutError:
            return b""

    def silent(self, seconds=1.5):
        """Return whether there comes to be no message for so long."""
        return any(self.hear(seconds) == b"" for _ in range(100))

    def port(self):
        """Return where the page says it is."""
        return int(self.page.stdout.readline().rpartition(b":")[2])


@pytest.fixture
def systemd(tmp_path, data):
    made = []

    def start(**environment):
        made.append(Systemd(tmp_path, data, **environment))
        return made[-1]

    yield start
    for one in made:
        one.page.kill()
        one.page.wait()
        one.page.stdout.close()
        one.socket.close()


def test_signs_of_life_come_while_the_library_answers_and_again_when_it_does_again(systemd, data):
    heard = systemd(WATCHDOG_USEC="400000")
    assert heard.hear() == b"READY=1"
    with socket.create_connection(("127.0.0.1", heard.port())):  # by then it answers
        pass
    for _ in range(3):
        assert heard.hear() == b"WATCHDOG=1"
    (data / "library.db").rename(data / "away.db")
    assert heard.silent()
    (data / "away.db").rename(data / "library.db")
    assert heard.hear() == b"WATCHDOG=1"
    heard.page.terminate()
    while (last := heard.hear()) == b"WATCHDOG=1":
        pass
    assert last == b"STOPPING=1"
    assert heard.page.wait(30) == 0


def test_where_nobody_waits_for_them_nothing_is_done(systemd):
    heard = systemd()
    assert heard.hear() == b"READY=1"
    heard.port()
    assert heard.hear(0.5) == b""


HANGS = """
import asyncio, time
from appliance.device.notify import notify
from appliance.pages import watchdog
watchdog._ask = lambda box: None

async def main():
    task = asyncio.create_task(watchdog.pet(None, 0.05))
    await asyncio.sleep(0.3)
    notify("STATUS=busy")
    time.sleep(0.8)
    notify("STATUS=free")
    await asyncio.sleep(0.3)
    task.cancel()

asyncio.run(main())
"""


def test_an_event_loop_that_is_held_up_gives_none(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30)
        told = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen([sys.executable, "-c", HANGS], env=told):
            said = []
            while not said or said[-1] != b"STATUS=free":
                said.append(heard.recv(100))
            said.append(heard.recv(100))
    assert said[0] == b"WATCHDOG=1"
    assert said[-3:] == [b"STATUS=busy", b"STATUS=free", b"WATCHDOG=1"]


FAILS_ONCE = """
import asyncio
from appliance.pages import watchdog
answers = iter([ZeroDivisionError, None, None])

def ask(box):
    if error := next(answers, None):
        raise error

watchdog._ask = ask
asyncio.run(asyncio.wait_for(watchdog.pet(None, 0.05), 5))
"""


def test_what_nobody_foresaw_ends_the_signs_for_that_time_only(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30)
        told = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen([sys.executable, "-c", FAILS_ONCE], env=told, stderr=subprocess.DEVNULL) as page:
            assert heard.recv(100) == b"WATCHDOG=1"
            page.kill()
