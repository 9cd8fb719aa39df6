"""What a dead page left is told from what another one takes in at this moment."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.library.database import Connection
from appliance.library.serving import FILE, served_since, serving
from appliance.library.store import Store
from appliance.library.uploads import orphans

SERVE = """
import sys, time
from pathlib import Path
from appliance.library.serving import serving
with serving(Path(sys.argv[1])):
    print("serving", flush=True)
    time.sleep(3600)
"""
LONG = 3600.0


@pytest.fixture
def left(data: Path, store: Store) -> list[Path]:
    """An upload that was cut off, and a file whose row was never written, both a moment old."""
    files = [data / "incoming" / "cut.part", data / "originals" / "2024" / "05" / "beach.jpg"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left")
        os.utime(path, (time.time() - 60,) * 2)
    time.sleep(0.05)  # file systems keep time in ticks
    return files


def test_what_a_dead_page_left_is_known_once_the_next_one_serves(
    data: Path, db: Connection, store: Store, left: list[Path]
) -> None:
    assert store.leftovers(LONG) == []
    assert orphans(db, store, older_than_seconds=LONG) == []
    with serving(data):
        young = data / "incoming" / "young.part"
        young.write_bytes(b"under way")
        assert store.leftovers(LONG) == left[:1]
        assert orphans(db, store, older_than_seconds=LONG) == ["2024/05/beach.jpg"]
        assert store.sweep(LONG) == 1
        assert young.exists()


def test_a_second_page_tells_nothing_of_the_first_one_s_uploads(
    data: Path, db: Connection, store: Store, left: list[Path]
) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(data)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serving\n"
        since = served_since(data)
        under_way = data / "incoming" / "under-way.part"
        under_way.write_bytes(b"under way")
        time.sleep(0.05)
        with serving(data):
            assert served_since(data) == since
            assert store.leftovers(LONG) == left[:1]
        process.kill()
    with serving(data):  # the first is dead now
        assert store.leftovers(LONG) == sorted([left[0], under_way])


def test_without_a_page_or_with_a_clock_set_back_nothing_young_is_left_over(
    data: Path, store: Store, left: list[Path]
) -> None:
    assert served_since(data) == 0
    with serving(data):
        os.utime(data / FILE, (time.time() + 1000,) * 2)
        assert served_since(data) == 0
        assert store.leftovers(LONG) == []
