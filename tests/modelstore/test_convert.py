"""The recipe that makes the shipped sample: the same bytes every time, marked as what it is."""

import json
import sys
from pathlib import Path

import pytest

import convert  # models/sample/convert.py
from appliance.modelstore import files
from appliance.modelstore.manifest import info


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time told, and no space kept free for real models."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(files, "_MARGIN", 0)


def run(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, out: Path) -> dict[str, bytes]:
    monkeypatch.setattr(sys, "argv", ["convert.py", "--checkpoint", str(checkpoint), "--out", str(out)])
    convert.main()
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_the_sample_is_made_alike_every_time(
    checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(monkeypatch, checkpoint_folder, tmp_path / "out")
    assert "sample-int8" in capsys.readouterr().out
    assert run(monkeypatch, checkpoint_folder, tmp_path / "out") == first  # in place of the one that is there
    model = info(tmp_path / "out")
    assert (model.id, model.sample) == ("sample-int8", True)
    assert model.notice.startswith("This sample model only knows drawn shapes.")
    written = json.loads(first["manifest.json"])
    assert written["refusal"] == "this sample model only knows drawn shapes"
    assert "made_at" not in written


def test_the_time_is_that_of_source_date_epoch(
    checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    written = json.loads(run(monkeypatch, checkpoint_folder, tmp_path / "out")["manifest.json"])
    assert written["made_at"] == "1970-01-01T00:00:00+00:00"
