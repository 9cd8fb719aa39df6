"""How far an installation is can be read while it runs, and what became of it afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.modelstore import progress
from appliance.modelstore.progress import Recorder, read


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was put in place, in order."""
    found: list[str] = []
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        found.append(path.read_text())
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    return found


def test_where_nothing_was_installed_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    assert read(tmp_path / "nowhere") is None


def test_it_tells_how_far_it_is(tmp_path: Path, clock: Clock) -> None:
    recorder = Recorder(tmp_path, "blip-base-int8", clock)
    found = read(tmp_path)
    assert found is not None
    assert (found.state, found.stage, found.percent, found.started) == ("running", "start", 0, 1000)
    clock.now += 5
    recorder("download", 30, 120)
    found = read(tmp_path)
    assert found is not None
    assert (found.state, found.stage, found.done, found.total, found.percent) == ("running", "download", 30, 120, 25)
    assert (found.model, found.started, found.updated, found.pid) == ("blip-base-int8", 1000, 1005, os.getpid())
    assert set(found.as_json()) == {
        "model", "stage", "done", "total", "percent", "started", "updated", "finished", "error", "state",
    }  # fmt: skip
    recorder.end()
    assert [(each.state, each.finished) for each in [read(tmp_path)] if each] == [("finished", 1005)]
    recorder.end("No room.")
    assert [(each.state, each.error) for each in [read(tmp_path)] if each] == [("failed", "No room.")]


def test_it_is_written_at_most_once_a_second_and_only_what_changed(
    tmp_path: Path, clock: Clock, writings: list[str]
) -> None:
    recorder = Recorder(tmp_path, "m", clock)
    for done in range(1000):
        clock.now += 0.01
        recorder("download", done, 1000)
    assert 10 <= len(writings) <= 11
    for _ in range(100):
        clock.now += 2
        recorder("download", 999, 1000)
    assert len(writings) <= 12, "the last step may have been held back before; then nothing changed any more"
    clock.now -= 5000  # the clock was set
    recorder("build", 1, 2)
    recorder("build", 2, 2)
    assert json.loads(writings[-1])["stage"] == "build"
    assert json.loads(writings[-1])["done"] == 1
    recorder.end()
    assert json.loads(writings[-1])["finished"] == clock.now, "the end is always written"


def test_an_installation_whose_process_is_gone_was_interrupted(tmp_path: Path) -> None:
    script = (
        f"from pathlib import Path; from appliance.modelstore.progress import *; Recorder(Path({str(tmp_path)!r}), 'm')"
    )
    subprocess.run([sys.executable, "-c", f"{script}('download', 1, 2)"], check=True)
    found = read(tmp_path)
    assert found is not None
    assert found.state == "interrupted"


def test_another_process_of_the_same_number_is_not_it(tmp_path: Path) -> None:
    Recorder(tmp_path, "m")
    path = tmp_path / ".progress.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "process": content["process"] + "0"}))
    assert [each.state for each in [read(tmp_path)] if each] == ["interrupted"]
    path.write_text(json.dumps({**content, "pid": 2**30, "process": ""}))
    assert [each.state for each in [read(tmp_path)] if each] == ["interrupted"]


@pytest.mark.parametrize(
    "content",
    [
        "", "[", "[]", "3", '"text"', "{}", "[" * 100_000, {"more": 1}, {"done": "1"}, {"pid": None}, {"pid": True},
        {"started": "now"}, {"finished": "now"}, {"error": None}, {"total": 1.5},
    ],
)  # fmt: skip
def test_a_damaged_record_is_none(tmp_path: Path, content: str | dict[str, Any]) -> None:
    Recorder(tmp_path, "m")
    path = tmp_path / ".progress.json"
    path.write_text(content if isinstance(content, str) else json.dumps(json.loads(path.read_text()) | content))
    assert read(tmp_path) is None


def test_a_record_that_cannot_be_written_stops_nothing(tmp_path: Path, clock: Clock) -> None:
    recorder = Recorder(tmp_path / "nowhere", "m", clock)
    clock.now += 2
    recorder("download", 1, 2)
    recorder.end()
    assert read(tmp_path / "nowhere") is None


def test_reading_it_needs_none_of_the_models_libraries() -> None:
    code = (
        "import sys, appliance.modelstore.progress; print(sorted({'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"
    assert progress.__doc__
