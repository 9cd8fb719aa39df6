"""`shoebox bench`, with the real sample model in the real child."""

import json
from pathlib import Path

import pytest

from appliance import cli


def test_it_tells_an_owner_how_quick_the_box_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--data", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == "sample-int8"
    assert [one["name"] for one in found["pictures"]] == sorted(one["name"] for one in found["pictures"])
    assert len(found["pictures"]) == 10
    assert all(one["description"] for one in found["pictures"])
    assert 0 < found["least_seconds"] <= found["seconds"] <= found["most_seconds"]
    assert found["library_seconds"] > 0
    assert found["tokens_a_second"] > 0
    assert 30e6 < found["peak_bytes"] < 400e6


def test_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_BATCH_SIZE", "3000")
    assert cli.main(["bench", "--data", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "sample-int8 on" in told
    assert "Memory:" in told
    assert "10,000 photos take about" in told
    assert "4 nights of 3,000" in told
