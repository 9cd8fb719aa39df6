"""The wheel holds what the appliance needs at run time, and nothing that only develops it."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_is_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"appliance/{path.relative_to(ROOT)}" for path in (ROOT / "web").rglob("*") if path.is_file()}
    assert shipped <= names
    assert {
        "appliance/models/catalog.toml",
        "appliance/models/pictures/README.md",
        "appliance/models/pictures/cat.jpg",
        "appliance/models/sample/int8/manifest.json",
        "appliance/models/sample/int8/encoder.onnx",
        "appliance/models/sample/int8/decoder.onnx",
        "appliance/models/sample/int8/tokenizer.json",
        "appliance/cli.py",
    } <= names
    assert not [name for name in names if "checkpoint/" in name or name.startswith("tests/")]
