"""A data folder that is read-only, becomes so, or goes away: nothing is acknowledged, nothing blamed on a photo."""

import contextlib
import hashlib
import io
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from appliance.library import database
from box import Box

MANY = 12


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"These tests need root, mount and e2fsprogs: {' '.join(command)}: {done.stderr.strip()}")


def photo(number: int) -> bytes:
    made = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


def fill(box: Box, first: int = 0) -> dict[int, bytes]:
    """Upload many photos; return what was acknowledged."""
    kept = {}
    for number in range(first, first + MANY):
        status, item = box.ask("POST", f"/api/v1/uploads?name={number}.png", photo(number))
        assert status == 201
        kept[item["id"]] = photo(number)
    return kept


def check_refusing(box: Box, *, pages: bool = True) -> None:
    """Uploads are refused in plain words, and what can be read is still shown."""
    status, answer = box.ask("POST", "/api/v1/uploads?name=late.png", photo(1000))
    assert status == 503, answer
    assert answer["type"] in {"urn:shoebox:storage", "urn:shoebox:library"}
    assert answer["detail"].startswith(("The data folder", "The library cannot be", "The library is no longer in"))
    assert answer["next_step"]
    ready, answer = box.ask("GET", "/health/ready")
    assert (ready, bool(answer["detail"])) == (503, True)
    assert box.ask("GET", "/health/live")[0] == 200
    for path in ("/", "/activity", "/add", "/settings", "/items/1"):
        status, text = box.ask("GET", path)
        assert status == (200 if pages else 503), text
        assert b"<html" in text
    for path in ("/api/v1/status", "/metrics", *(() if pages else ("/api/v1/events",))):
        assert box.ask("GET", path)[0] == (200 if pages else 503), path
    assert "Traceback" not in box.log.read_text(), box.log.read_text()[-6000:]


def check_all_described(box: Box, kept: dict[int, bytes]) -> None:
    for number, content in kept.items():
        assert box.finished(number)["status"] == "completed"
        assert box.ask("GET", f"/api/v1/items/{number}/original") == (200, content)
    assert "Traceback" not in box.log.read_text(), box.log.read_text()[-6000:]
    originals = [path for path in (box.data / "originals").rglob("*") if path.is_file()]
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in originals) == sorted(
        hashlib.sha256(content).hexdigest() for content in kept.values()
    )


def tries(data: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(data / "library.db")) as db:
        return sorted(row[0] for row in db.execute("SELECT attempts FROM jobs"))


def test_a_card_that_the_kernel_turns_read_only(card_of: Callable[..., Any], box_on: Callable[[Path], Box]) -> None:
    card = card_of(48 << 10)
    box = box_on(card.data)
    box.start()
    kept = fill(box)
    box.finished(1)
    with box.held_up():  # or it would be done with all of them before the card fails
        kept |= fill(box, MANY)
        card.fail()
    check_refusing(box)
    time.sleep(4)  # long enough to say it each second, were it said each second
    check_refusing(box)
    assert box.log.read_text().count("cannot be written to") < 12, box.log.read_text()
    assert box.ask("GET", "/api/v1/status")[1]["counts"]["failed"] == 0
    assert box.ask("GET", "/api/v1/status")[1]["counts"]["completed"] < len(kept), "it came too late for this test"
    box.stop()
    assert "Traceback" not in box.log.read_text(), box.log.read_text()[-6000:]
    card.take_out()
    subprocess.run(["e2fsck", "-fy", str(card.file)], capture_output=True, check=False)
    card.insert()
    box.start()
    check_all_described(box, kept)
    assert tries(card.data)[-2] == 1  # the one under way could not be put back: the library was read-only
    assert tries(card.data)[-1] <= 2


def test_a_folder_that_is_read_only_for_a_while(disk_of: Callable[..., Any], box_on: Callable[[Path], Box]) -> None:
    disk = disk_of()
    box = box_on(disk.data)
    box.start()
    kept = fill(box)
    box.finished(1)
    with box.held_up():  # or it would be done with all of them before the folder is read-only
        kept |= fill(box, MANY)
        run("mount", "--bind", str(disk.data), str(disk.data))
        run("mount", "-o", "remount,bind,ro", str(disk.data))
    try:
        check_refusing(box)
        time.sleep(3)
        check_refusing(box)
        assert box.ask("GET", "/api/v1/status")[1]["counts"]["failed"] == 0
        assert box.ask("GET", "/api/v1/status")[1]["counts"]["completed"] < len(kept), "it came too late for this test"
    finally:
        run("umount", "--lazy", str(disk.data))
    kept |= fill(box, 2 * MANY)
    check_all_described(box, kept)
    assert set(tries(disk.data)) == {1}


@pytest.mark.parametrize("command", ["web", "worker", "run"])
@pytest.mark.parametrize("library", ["a library", "nothing yet"])
def test_starting_on_a_read_only_folder_says_why_not(disk_of: Callable[..., Any], command: str, library: str) -> None:
    disk = disk_of()
    if library == "a library":
        database.migrate(disk.data / "library.db")
    run("mount", "-o", "remount,ro", str(disk.folder))
    arguments = ["--data", str(disk.data), *([] if command == "worker" else ["--port", "0"])]
    done = subprocess.run(
        [sys.executable, "-m", "appliance", command, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("shoebox: The data folder"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("how", ["renamed", "unmounted"])
def test_a_folder_that_goes_away_and_comes_back(
    disk_of: Callable[..., Any], box_on: Callable[[Path], Box], how: str
) -> None:
    disk = disk_of()
    box = box_on(disk.data)
    box.start()
    kept = fill(box)
    kept_by = disk.folder.with_name("elsewhere")
    if how == "renamed":
        disk.data.rename(disk.folder / "away")
    else:
        kept_by.mkdir()
        run("mount", "--bind", str(disk.folder), str(kept_by))
        run("umount", "--lazy", str(disk.folder))
    check_refusing(box, pages=False)
    time.sleep(4)
    check_refusing(box, pages=False)
    assert not disk.data.exists(), "an empty library was begun"
    if how == "renamed":
        (disk.folder / "away").rename(disk.data)
    else:
        run("mount", "--bind", str(kept_by), str(disk.folder))
    try:
        box.wait(lambda: box.log.read_text().count("Shoebox is at") == 2, "the page to start anew")
        box.wait(box.is_ready, "the page to answer")
        check_all_described(box, kept)
        assert set(tries(disk.data)) == {1}
    finally:
        if how == "unmounted":
            box.stop()
            run("umount", str(disk.folder))
            run("mount", "--move", str(kept_by), str(disk.folder))
