"""Long work in a service of its own, with a thread in systemd's place that starts what an order asks for."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.device import service
from appliance.errors import ServiceError
from appliance.work import asked

START = """
import sys
from pathlib import Path
from appliance.work import asked
asked.WISHES["look-at-model"] = ("this", ("Look",))
sys.exit(asked.main(sys.argv[1:2], Path(sys.argv[2])))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installed box."""
    for folder in ("run/systemd/system", "run/shoebox/orders", "run/shoebox/asked"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def systemd(root: Path) -> Iterator[Callable[[], list[subprocess.Popen[bytes]]]]:
    """Start what is asked for, as shoebox-orders.service and shoebox-errand@.service do; return what was started."""
    started: list[subprocess.Popen[bytes]] = []
    ending = threading.Event()

    def watch() -> None:
        while not ending.wait(0.02):
            for order in (root / "run/shoebox/orders").glob("[!.]*"):
                order.unlink()
                command = [sys.executable, "-c", START, order.name, str(root)]
                started.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())}))

    thread = threading.Thread(target=watch)
    thread.start()
    yield lambda: started
    ending.set()
    thread.join()
    for process in started:
        process.kill()
        process.wait()


def test_only_an_installed_box_has_it_done_elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert asked.name_of("appliance", root) == "install-model"
    assert asked.name_of("appliance.work.errand_run", root) == "look-at-model"
    assert asked.name_of("appliance.work.worker", root) is None
    assert asked.name_of("appliance", tmp_path_factory.mktemp("plain")) is None


def test_it_becomes_what_was_asked_for(
    root: Path, systemd: Callable[[], list[subprocess.Popen[bytes]]], until: Callable[..., None]
) -> None:
    log = root / "models" / ".log"
    process = asked.ask("look-at-model", ["Look", "here"], log, root)
    until(systemd, "the one who started it to note that")
    (started,) = systemd()
    assert process == started.pid, "the number by which it can be ended"
    assert started.wait(30) == 0
    assert "The Zen of Python" in log.read_text()
    assert list((root / "run/shoebox/asked").glob("*.json")) == []


def test_nothing_else_can_be_asked_for(root: Path) -> None:
    wish = root / "run/shoebox/asked/install-model.json"
    for arguments in ([], ["key", "new"], ["models", "remove"]):
        wish.write_text(json.dumps({"arguments": arguments, "log": str(root / "log")}))
        assert asked.main(["install-model"], root) == 1
        assert not wish.exists()
        assert not (root / "log").exists()


def test_a_start_that_nobody_asked_for_does_nothing(root: Path) -> None:
    assert asked.main(["install-model"], root) == 1


def test_what_is_not_begun_is_told_and_withdrawn(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "PATIENCE", 0.2)
    (root / "run/shoebox/asked/install-model.pid").write_text("1")  # of another time
    with pytest.raises(ServiceError, match="did not begin"):
        asked.ask("install-model", ["models", "install", "x"], root / "log", root)
    assert list((root / "run/shoebox/asked").iterdir()) == []
    assert (root / service.FOLDER / "orders/install-model").exists()


def test_its_number_is_never_read_half(root: Path, until: Callable[..., None]) -> None:
    begun = root / "run/shoebox/asked/install-model.pid"

    def later() -> None:
        until((root / "run/shoebox/orders/install-model").exists, "the order")  # a former number is removed before it
        begun.write_text("")
        time.sleep(0.1)
        begun.write_text("4711")

    thread = threading.Thread(target=later)
    thread.start()
    assert asked.ask("install-model", [], root / "log", root) == 4711
    thread.join()
