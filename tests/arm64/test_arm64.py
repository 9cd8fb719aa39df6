"""Shoebox on a Raspberry Pi's cores, in emulation: to the letter what it answers and builds on this computer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import draw
from box import Box
from computer import Computer
from draw import Scene
from machine import BOARDS
from uploads import write_photo, write_video

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "models" / "sample"
SCENES = 12
SIZE = (480, 360)  # opening a large picture would take the emulator longer than describing it

_CPU = "import ctypes, platform; print(platform.machine(), ctypes.CDLL(None).getauxval(16) >> 20 & 1)"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Drawn scenes, a picture that is none, a turned JPEG, a HEIC and a video, with what each shows."""
    folder = tmp_path_factory.mktemp("pictures")
    made = {}
    for index in range(SCENES):
        picture, made[folder / f"scene-{index}.png"] = draw.draw_scene(np.random.default_rng([271828, index]), SIZE)
        picture.save(folder / f"scene-{index}.png")
    draw.negative(np.random.default_rng(1), SIZE).save(folder / "other.png")
    made[folder / "other.png"] = draw.REFUSAL
    first, second = (Scene.of(caption, seed=5) for caption in list(made.values())[:2])
    for name, how in (("turned.jpg", "JPEG with orientation 6"), ("phone.heic", "HEIC")):
        write_photo(folder / name, first, how)
        made[folder / name] = first.caption
    write_video(folder / "film.mp4", [first, second], "libx264")
    made[folder / "film.mp4"] = f"First {first.caption}, then {second.caption}."
    return made


def answers(computer: Computer, files: dict[Path, str]) -> list[dict[str, Any]]:
    """What `shoebox describe` says of the files, but for the time it took."""
    lines = computer.run("-m", "appliance", "describe", "--json", *files).splitlines()
    return [{**json.loads(line), "seconds": None} for line in lines]


@pytest.fixture(scope="module")
def known(here: Computer, files: dict[Path, str]) -> list[dict[str, Any]]:
    """What this computer says of the files."""
    return answers(here, files)


def test_the_core_is_arms_and_the_one_that_is_asked_for(pi: Computer) -> None:
    dot_product = {"cortex-a72": "0", "cortex-a76": "1"}[pi.core or ""]
    assert pi.run("-c", _CPU).split() == ["aarch64", dot_product]
    script = "from appliance.device.board import board; print(board().model)"
    assert pi.run("-c", script).strip() == BOARDS[pi.core or ""].model


def test_every_description_and_tag_is_the_one_given_here(
    pi: Computer, files: dict[Path, str], known: list[dict[str, Any]]
) -> None:
    assert [answer["description"] for answer in known] == list(files.values())
    assert answers(pi, files) == known


def test_the_list_of_models_is_the_same(pi: Computer, here: Computer) -> None:
    listing = ("-m", "appliance", "models", "list")
    assert "sample-int8" in here.run(*listing)
    assert pi.run(*listing) == here.run(*listing)


def model(folder: Path) -> dict[str, Any]:
    """What is in a model's folder, but for what was measured while building it, as floats round differently there."""
    files: dict[str, Any] = {file.name: file.read_bytes() for file in folder.iterdir()}
    manifest = json.loads(files["manifest.json"])
    manifest.pop("agreement", None)
    said = [(one["picture"], one["text"]) for one in manifest.pop("reference", [])]
    return {**files, "manifest.json": manifest, "said": said}


def test_a_checkpoint_becomes_the_shipped_model_byte_for_byte(pi: Computer, tmp_path: Path) -> None:
    pi.run(SAMPLE / "convert.py", "--out", tmp_path / "int8", PYTHONPATH=str(ROOT))
    assert model(tmp_path / "int8") == model(SAMPLE / "int8")


def test_a_whole_box_takes_an_upload_and_describes_it(pi_box: Box, files: dict[Path, str]) -> None:
    pi_box.start()
    file, right = next(iter(files.items()))
    status, item = pi_box.upload(file)
    assert status == 201
    item = pi_box.finished(item["id"])
    assert (item["status"], item["description"]) == ("completed", right)
    assert pi_box.stop() == 0
