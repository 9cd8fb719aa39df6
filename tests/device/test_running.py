"""A process is told from a later one of its number, and only it is ended."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from appliance.device import running


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_it_runs_until_it_is_ended(sleeper: subprocess.Popen[bytes]) -> None:
    marked = running.mark(sleeper.pid)
    assert running.runs(sleeper.pid, marked)
    assert running.end(sleeper.pid, marked)
    end = time.monotonic() + 60
    while running.runs(sleeper.pid, marked):  # though nobody has waited for it
        assert time.monotonic() < end
        time.sleep(0.01)
    assert sleeper.wait(20) == -15
    assert not running.runs(sleeper.pid, marked)
    assert not running.end(sleeper.pid, marked)


def test_another_of_its_number_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    for marked in (running.mark(os.getpid()), "", "nonsense"):
        assert not running.runs(sleeper.pid, marked)
        assert not running.end(sleeper.pid, marked)
    assert sleeper.poll() is None


@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1, 2**70])
def test_a_number_that_is_no_process(pid: int) -> None:
    assert not running.end(pid, "nonsense")
    assert running.mark(pid) == ""
