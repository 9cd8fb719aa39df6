"""`shoebox run`'s parent with small programs for page and worker: started, started again, stopped together."""

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.library import opening
from appliance.settings import Settings
from appliance.work import together

ROOT = Path(__file__).parents[2]
Until = Callable[..., None]

PARENT = """
import sys
from appliance.work import together
together.QUICK = float(sys.argv[1])
parts = [together.Part(str(n), [sys.executable, "-c", code]) for n, code in enumerate(sys.argv[3:])]
sys.exit(together.supervise(parts, address=sys.argv[2]))
"""
STAYS = "import os, time; open('pids', 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def start(*programs: str, quick: float = 5, address: str = "") -> subprocess.Popen[str]:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(quick), address, *programs],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(parent)
        return parent

    yield start
    for parent in started:
        parent.kill()
        parent.wait()
        assert parent.stdout is not None
        parent.stdout.close()


def pids(folder: Path) -> list[int]:
    file = folder / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}/exe").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, until: Until, number: int
) -> None:
    parent = start(STAYS, STAYS)
    until(lambda: len(pids(tmp_path)) == 2)
    parent.send_signal(number)
    assert parent.wait(60) == 0
    assert all(gone(pid) for pid in pids(tmp_path))


def test_what_is_killed_is_started_again(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, until: Until
) -> None:
    start(STAYS)
    for count in (1, 2, 3):
        until(lambda count=count: len(pids(tmp_path)) == count)
        os.kill(pids(tmp_path)[-1], signal.SIGKILL)
    until(lambda: len(pids(tmp_path)) == 4)


def test_what_cannot_start_ends_all_with_its_status(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    parent = start(STAYS, "raise SystemExit(7)", quick=600)
    assert parent.wait(60) == 7
    assert all(gone(pid) for pid in pids(tmp_path))


def test_the_parts_end_with_a_killed_parent(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, until: Until
) -> None:
    parent = start(STAYS)
    until(lambda: len(pids(tmp_path)) == 1)
    parent.kill()
    until(lambda: gone(pids(tmp_path)[0]))


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_the_address_is_told_once_the_page_answers(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, until: Until
) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Page) as page:
        threading.Thread(target=page.serve_forever).start()
        address = f"http://127.0.0.1:{page.server_port}/"
        parent = start(STAYS, address=address)
        assert parent.stdout is not None
        assert parent.stdout.readline() == f"Shoebox is ready: {address}\n"
        page.shutdown()


def test_the_parts_are_page_and_worker(settings: Settings) -> None:
    web, worker = together.parts(settings, 7)
    assert list(web.command)[1:4] == ["-m", "appliance", "web"]
    assert list(web.command)[-6:] == ["--host", "0.0.0.0", "--port", "0", "--fd", "7"]  # noqa: S104
    assert (list(web.descriptors), list(worker.descriptors)) == ([7], [])
    assert list(worker.command)[3:] == ["worker", "--data", str(settings.data)]


@pytest.mark.parametrize(("wished", "opened"), [(5, 6), (0, together.RESTORED_AT_MOST)])
def test_a_library_found_damaged_again_and_again_ends_it_and_one_gone_back_does_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, wished: int, opened: int
) -> None:
    calls = []

    def supervise(members: object, *, address: str) -> int:
        calls.append(address)
        if len(calls) <= wished:
            (settings.data / "library.db.go-back-to").write_text("library-none.db")
        return 0 if wished and len(calls) > wished else opening.DAMAGED

    monkeypatch.setattr(together, "supervise", supervise)
    assert together.run(settings) == (0 if wished else opening.DAMAGED)
    assert len(calls) == opened
