"""What a box without systemd can run of the documented commands is run on one: with the faults, as it takes long."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.assets import asset
from box import Box
from table import Command, of

pytestmark = pytest.mark.timeout(600)  # the first test has all that is typed at a running box done

RUNNING = [one for one in of("box") if not one.stopped and not one.test]
STOPPED = [one for one in of("box") if one.stopped]
PICTURE = sorted(asset("models/pictures").glob("*.jpg"))[0]


@dataclass
class Shell:
    """A person at the box, who types what is documented; what they export stays for the next line."""

    box: Box
    folder: Path

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SHOEBOX_DATA": str(self.box.data),
            "SHOEBOX_STATE": str(self.folder / "state"),
            "SHOEBOX_PORT": str(self.box.port),
            "SHOEBOX_THREADS": "1",
        }

    def type(self, one: Command) -> tuple[int, str]:
        """Return the exit status and all that was said."""
        line = one.command.replace("/var/lib/shoebox", str(self.box.data)).replace("/media/usb", f"{self.folder}/usb")
        line = re.sub(r"http://(shoebox\.local|127\.0\.0\.1:8080)", f"http://127.0.0.1:{self.box.port}", line)
        kept = shlex.quote(str(self.folder / "kept"))
        keeps = f"declare -p KEY key >{kept} 2>/dev/null" if re.match(r"(export )?key=", line, re.IGNORECASE) else ""
        words = f"touch {kept}; . {kept}\n{line}\nended=$?\n{keeps}\nexit $ended\n"
        told = subprocess.run(
            ["bash", "-c", words], cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=100
        )
        return told.returncode, told.stdout + told.stderr


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A box that runs, with an owner and one picture, and somebody in front of it."""
    folder = tmp_path_factory.mktemp("help")
    box = Box(folder / "library", folder / "log.txt")
    shutil.copy(PICTURE, folder / "beach.jpg")
    box.start(environment={"SHOEBOX_STATE": str(folder / "state")})
    made = box.ask("POST", "/api/v1/people", b'{"name": "Anna", "password": "three short words", "role": "owner"}')
    assert made[0] == 201, made
    number = box.upload(folder / "beach.jpg")[1]["id"]
    box.finished(number)
    yield Shell(box, folder)
    if box.process is not None:
        box.stop()


@pytest.fixture(scope="module")
def answers(shell: Shell) -> dict[str, tuple[int, str]]:
    """What each command of a running box ended with and said: one after the other those that need one before, a few at
    a time the others."""
    follow = [one for one in RUNNING if re.search(r"\$?\bkey\b|KEY|models|/media|backup|queue", one.line)]
    alone = [one for one in RUNNING if one not in follow]
    with ThreadPoolExecutor(3) as pool:
        chain = pool.submit(lambda: {one.line: shell.type(one) for one in follow})
        found = dict(zip([one.line for one in alone], pool.map(shell.type, alone), strict=True))
        return found | chain.result()


@pytest.mark.parametrize("one", RUNNING, ids=lambda one: one.line[:60])
def test_a_box_that_runs(answers: dict[str, tuple[int, str]], one: Command) -> None:
    status, output = answers[one.line]
    assert one.right(status, output), f"{one.line}\n{status}\n{output}"


def test_a_box_that_is_stopped(shell: Shell, answers: dict[str, tuple[int, str]]) -> None:
    """In the table's order: back to a backup, moved here from another box, begun anew. Uses the box up."""
    shell.box.stop()
    for one in STOPPED:
        status, output = shell.type(one)
        assert one.right(status, output), f"{one.line}\n{status}\n{output}"
        if "library adopt" in one.line:  # the moved library, its database put back from the copied backup
            shell.box.start(environment={"SHOEBOX_STATE": str(shell.folder / "state")})
            end = time.monotonic() + 60
            while not (items := shell.box.ask("GET", "/api/v1/items")[1]["items"]) and time.monotonic() < end:
                time.sleep(0.1)
            assert items[0]["name"] == "beach.jpg"
            shell.box.stop()
