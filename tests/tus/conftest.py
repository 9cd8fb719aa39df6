"""A box behind a network that cuts, and a large file to send through it."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from box import Box

SIZE = int(os.environ.get("TUS_BYTES", 1 << 30))
FTYP = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
PIECE = 1 << 20


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file of SIZE bytes that begins as a video does; no part of it is like another."""
    path = tmp_path_factory.mktemp("film") / "holiday.mp4"
    random = Random(1)
    with path.open("wb") as file:
        file.write(FTYP)
        left = SIZE - len(FTYP)
        while left:
            left -= file.write(random.randbytes(min(PIECE, left)))
    yield path
    path.unlink()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """The page alone, which takes in uploads, on a library of its own."""
    one = Box(tmp_path / "data", tmp_path / "log.txt")
    one.start(("web",))
    yield one
    one.stop()
    for original in (tmp_path / "data" / "originals").rglob("*.mp4"):
        original.unlink()
