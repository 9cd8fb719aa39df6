"""The image that make image has built, and a log of how long everything took."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulated import missing_tools

BUILT = Path(__file__).parents[2] / "build" / "image"


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the image and the papers beside it."""
    missing = missing_tools()
    assert not missing, f"apt-get install qemu-system-arm qemu-utils mtools e2fsprogs device-tree-compiler: {missing}"
    return Path(os.environ.get("IMAGE_FOLDER", BUILT))


@pytest.fixture(scope="session")
def image(built: Path) -> Path:
    """The image as it is written to a card."""
    (found,) = built.glob("shoebox-*-arm64.img")
    return found


@pytest.fixture
def say(built: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """Write a line with the seconds since the test began into boot-test.log."""
    start = time.monotonic()
    with (built / "boot-test.log").open("a", encoding="utf-8") as log:

        def line(what: str) -> None:
            text = f"{time.monotonic() - start:8.1f} s  {what}"
            log.write(text + "\n")
            log.flush()
            print(text, flush=True)

        log.write(f"\n{time.strftime('%Y-%m-%d %H:%M:%S')}  {request.node.name}\n")
        yield line
