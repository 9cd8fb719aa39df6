"""The cores of a Pi 4 and a Pi 5, emulated with what machine.py has built, and the box that runs on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from box import Box
from computer import HERE, THERE, Computer
from machine import BOARDS


@pytest.fixture(scope="session")
def here() -> Computer:
    return Computer(HERE)


@pytest.fixture(scope="module", params=list(BOARDS))
def pi(request: pytest.FixtureRequest) -> Iterator[Computer]:
    """Each core in turn; what starts its Python meanwhile, starts it on that core."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QEMU_CPU", request.param)
        yield Computer(THERE, request.param)


@pytest.fixture
def pi_box(pi: Computer, tmp_path: Path) -> Iterator[Box]:
    """A box with an empty library on that core, not yet started."""
    one = Box(tmp_path / "library", tmp_path / "log.txt", pi.python, patience=300)
    yield one
    if one.process is not None:
        one.stop()
