"""The unit files, and the tool of systemd that judges them: a machine without it fails, and says what to install."""

import shutil
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"


@pytest.fixture(scope="session")
def analyze() -> str:
    """The path of systemd-analyze."""
    tool = shutil.which("systemd-analyze")
    assert tool is not None, "systemd-analyze is not here; install it: apt-get install systemd"
    return tool


@pytest.fixture(scope="session")
def units() -> list[Path]:
    """All unit files."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix in {".service", ".socket", ".path", ".target"})
