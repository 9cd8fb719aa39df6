"""A root of our own, with small files such as a kernel shows."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def show(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file below the root, by its path from there."""

    def show(path: str, content: str | bytes) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return show
