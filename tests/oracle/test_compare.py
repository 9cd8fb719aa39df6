"""models/compare.py, run as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.oracle
MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.mark.parametrize("more", [[], ["--beams", "3", "--prompt", "a photo of"], ["--variant", "int8"]])
def test_compare(tmp_path: Path, scenes: list[Image.Image], more: list[str]) -> None:
    files = []
    for index, picture in enumerate(scenes[:3]):
        files.append(tmp_path / f"{index}.png")
        picture.save(files[-1])
    command = [sys.executable, MODELS / "compare.py", MODELS / "sample" / "checkpoint", *more, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["largest_logit_difference"] < (1e-3 if "int8" not in more else 5)
    assert [entry["file"] for entry in report["pictures"]] == [str(file) for file in files]
    if "int8" not in more:
        assert report["agreement"] == 1
        assert all(entry["transformers"] == entry["shoebox"] for entry in report["pictures"])
