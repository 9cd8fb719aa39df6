"""A box with an empty library, for tests that need the real thing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from box import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A box with an empty library, not yet started."""
    one = Box(tmp_path / "library", tmp_path / "log.txt")
    yield one
    if one.process is not None:
        one.stop()
