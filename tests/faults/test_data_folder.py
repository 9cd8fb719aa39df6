"""What becomes of a box whose data folder is not what it was: damaged, empty, gone for a while."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from box import Box
from draw import Scene, Shape
from uploads import write_photo

RED = "a large red heart on a white background"
BLUE = "a large blue circle on a white background"


def shoebox(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "appliance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """A red heart and a blue circle."""
    made = []
    for colour, kind in (("red", "heart"), ("blue", "circle")):
        made.append(tmp_path / f"{colour}.png")
        write_photo(made[-1], Scene(Shape(kind, colour, "large"), "white", seed=7), "PNG")
    return made


def described(box: Box) -> list[str]:
    """The descriptions there are, by name of item."""
    items: Any = box.ask("GET", "/api/v1/items")[1]["items"]
    return [item["description"] for item in sorted(items, key=lambda item: item["name"], reverse=True)]


def notices(box: Box) -> str:
    return json.dumps(box.ask("GET", "/api/v1/status")[1]["notices"], ensure_ascii=False)


def test_a_damaged_database_is_restored_at_the_start_and_the_photo_added_since_is_found(
    box: Box, photos: list[Path]
) -> None:
    red, blue = photos
    box.start()
    box.finished(box.upload(red)[1]["id"])
    done = shoebox("backup", "--data", str(box.data))
    assert (done.returncode, done.stderr) == (0, "")
    box.finished(box.upload(blue)[1]["id"])
    refused = shoebox("restore", "--data", str(box.data))
    assert (refused.returncode, "Shoebox is running" in refused.stderr) == (1, True)
    assert box.stop() == 0
    os.truncate(box.data / "library.db", os.stat(box.data / "library.db").st_size // 2)
    box.start()
    assert "was damaged and was restored from the backup of" in notices(box)
    box.wait(lambda: described(box) == [RED, BLUE], "both photos to be described")
    box.wait(lambda: "1 file was found that it did not list" in notices(box), "the search to be over")
    assert box.ask("DELETE", "/api/v1/notices/restored")[0] == 204
    assert "restored" not in notices(box)
    assert box.log.read_text().count("CRITICAL") == 1


def test_damage_that_is_met_while_it_runs_is_mended_without_anybody(box: Box, photos: list[Path]) -> None:
    box.start()
    box.finished(box.upload(photos[0])[1]["id"])
    assert shoebox("backup", "--data", str(box.data)).returncode == 0
    (box.data / "library.db-wal").write_bytes(b"")
    (box.data / "library.db").write_bytes(b"no database any more " * 1000)
    box.wait(lambda: box.is_ready() and "was restored from the backup" in notices(box), "the box to mend itself")
    box.wait(lambda: described(box) == [RED], "the photo")


def test_an_empty_folder_in_place_of_the_library_is_refused_once_and_left_empty(
    box: Box, photos: list[Path], tmp_path: Path
) -> None:
    box.start()
    box.upload(photos[0])
    box.stop()
    box.data.rename(tmp_path / "disk")
    box.data.mkdir()  # as an unmounted disk leaves it
    for command in ("run", "web", "worker", "status"):
        address = [] if command in {"worker", "status"} else ["--port", str(box.port)]
        done = shoebox(command, "--data", str(box.data), *address)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("is not there") == 1
        assert len(done.stderr.splitlines()) == 1
        assert "`shoebox library new`" in done.stderr
    assert list(box.data.iterdir()) == []
    assert shoebox("library", "new", "--data", str(box.data)).returncode == 0
    box.start()
    assert described(box) == []
    box.stop()
    box.data.rename(tmp_path / "new")
    (tmp_path / "disk").rename(box.data)
    assert "another library than last time" in shoebox("run", "--data", str(box.data), "--port", "0").stderr
    assert shoebox("library", "adopt", "--data", str(box.data)).returncode == 0
    box.start()
    box.wait(lambda: described(box) == [RED], "the photo")


def test_a_library_that_is_gone_for_a_while_takes_nothing_in_and_goes_on_by_itself(
    box: Box, photos: list[Path], tmp_path: Path
) -> None:
    red, blue = photos
    box.start()
    box.finished(box.upload(red)[1]["id"])
    box.data.rename(tmp_path / "away")
    for _ in range(2):
        status, told = box.upload(blue)
        assert (status, told["type"]) == (503, "urn:shoebox:library")
        assert "Attach its disk again" in told["next_step"]
        assert not box.data.exists()
        box.data.mkdir(exist_ok=True)
        status, told = box.upload(blue)
        assert status == 503
        assert list(box.data.iterdir()) == []
        box.data.rmdir()
    assert box.ask("GET", "/health/ready")[0] == 503
    box.wait(lambda: "nothing is worked on until" in box.log.read_text(), "the worker to notice")
    (tmp_path / "away").rename(box.data)
    for part in ("page", "worker"):  # all that they hold open may be of a disk that is gone
        box.wait(lambda part=part: f"the {part} starts anew" in box.log.read_text(), f"the {part} to start anew")
    box.wait(lambda: box.log.read_text().count("Shoebox is at") == 2, "the page to start anew")
    box.wait(box.is_ready, "the page")
    assert box.finished(box.upload(blue)[1]["id"])["description"] == BLUE
