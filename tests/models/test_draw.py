"""The scenes drawer of the sample model: repeatable pictures whose captions are true."""

import io
import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SAMPLE = Path(__file__).resolve().parents[2] / "models" / "sample"
sys.path.insert(0, str(SAMPLE))

import disturb  # noqa: E402
import draw  # noqa: E402
import negatives  # noqa: E402

PICTURES = ((640, 480), (480, 640), (1280, 720), (180, 320), (300, 300))


def random_scenes(count: int, seed: int = 5) -> list[draw.Scene]:
    rng = np.random.default_rng(seed)
    return [draw.random_scene(rng) for _ in range(count)]


def test_a_scene_is_drawn_the_same_every_time() -> None:
    scene = draw.Scene.of("a large red circle left of a small blue square on a white background", seed=3)
    assert draw.render(scene, 320, 240).tobytes() == draw.render(scene, 320, 240).tobytes()
    other = draw.Scene.of(scene.caption, seed=4)
    assert draw.render(scene, 320, 240).tobytes() != draw.render(other, 320, 240).tobytes()


def test_a_picture_depends_on_seed_and_number_alone() -> None:
    first, caption = draw.draw(11, 4)
    again, same = draw.draw(11, 4)
    assert (first.tobytes(), caption) == (again.tobytes(), same)
    assert [draw.draw(12, number)[1] for number in range(8)] != [draw.draw(11, number)[1] for number in range(8)]


def test_captions_are_built_from_the_scene() -> None:
    circle, square = draw.Shape("circle", "red", "large"), draw.Shape("square", "blue", "small")
    assert draw.Scene(circle, "orange").caption == "a large red circle on an orange background"
    two = draw.Scene(circle, "white", square, "above")
    assert two.caption == "a large red circle above a small blue square on a white background"


def test_captions_can_be_read_back() -> None:
    for scene in random_scenes(200):
        assert draw.Scene.of(scene.caption, scene.seed) == scene


@pytest.mark.parametrize(
    "caption",
    [
        draw.REFUSAL,
        "a red circle on a white background",
        "a large red circle right of a small blue square on a white background",
        "a large red circle",
    ],
)
def test_other_sentences_describe_no_scene(caption: str) -> None:
    with pytest.raises(ValueError, match="not a caption"):
        draw.Scene.of(caption)


def test_scenes_that_cannot_be_are_refused() -> None:
    star = draw.Shape("star", "yellow", "small")
    with pytest.raises(ValueError, match="can't be told"):
        draw.Scene(star, "yellow")
    with pytest.raises(ValueError, match="relation"):
        draw.Scene(star, "blue", star)
    with pytest.raises(ValueError, match="no such relation"):
        draw.Scene(star, "blue", star, "below")
    with pytest.raises(ValueError, match="no such background"):
        draw.Scene(star, "beige")
    with pytest.raises(ValueError, match="no such shape"):
        draw.Shape("blob", "yellow", "small")


@pytest.mark.parametrize(("width", "height"), PICTURES)
def test_shapes_lie_inside_the_picture_apart_and_in_order(width: int, height: int) -> None:
    for scene in random_scenes(150):
        boxes = [placed.box for placed in draw.place(scene, width, height)]
        for left, top, right, bottom in boxes:
            assert left >= 0
            assert top >= 0
            assert right <= width
            assert bottom <= height
        if scene.relation == "left of":
            assert boxes[0][2] < boxes[1][0]
        if scene.relation == "above":
            assert boxes[0][3] < boxes[1][1]


@pytest.mark.parametrize(("width", "height"), PICTURES)
def test_the_relation_is_plain_in_the_squashed_picture(width: int, height: int) -> None:
    for scene in random_scenes(150):
        if scene.relation is None:
            continue
        centres = []
        for placed in draw.place(scene, width, height):
            left, top, right, bottom = placed.box
            centres.append(((left + right) / 2 / width, (top + bottom) / 2 / height))
        across, down = abs(centres[1][0] - centres[0][0]), abs(centres[1][1] - centres[0][1])
        along, sideways = (across, down) if scene.relation == "left of" else (down, across)
        assert sideways <= along / 2.9


@pytest.mark.parametrize(("width", "height"), PICTURES)
def test_shapes_keep_enough_pixels_for_the_model_and_sizes_stay_apart(width: int, height: int) -> None:
    longest: dict[str, list[float]] = {"small": [], "large": []}
    for scene in random_scenes(150):
        for placed in draw.place(scene, width, height):
            left, top, right, bottom = placed.box
            sides = (right - left) / width * 64, (bottom - top) / height * 64
            assert min(sides) >= 6
            longest[placed.shape.size].append(max(right - left, bottom - top) / min(width, height))
    assert max(longest["small"]) + 0.1 < min(longest["large"])


def test_shapes_stand_out_from_their_background_even_after_jpeg() -> None:
    for number, scene in enumerate(random_scenes(60)):
        picture = disturb.jpeg(draw.render(scene, 240, 180), quality=50)
        pixels = np.asarray(picture, dtype=float)
        for placed in draw.place(scene, 240, 180):
            x, y = placed.outline.mean(axis=0).astype(int)
            assert np.abs(pixels[y, x] - pixels[1, 1]).max() > 40, (number, scene.caption)


def test_every_kind_and_colour_can_be_drawn() -> None:
    assert len(draw.KINDS) >= 6
    assert len(draw.COLOURS) >= 10
    for kind, colour in product(draw.KINDS, draw.COLOURS):
        ground = next(name for name in draw.COLOURS if draw.visible(colour, name))
        scene = draw.Scene(draw.Shape(kind, colour, "large"), ground)
        picture = np.asarray(draw.render(scene, 160, 160), dtype=int)
        close = np.abs(picture - np.array(draw.COLOURS[colour])).max(axis=2) <= draw.SHADE_JITTER
        assert 0.03 < close.mean() < 0.25, (kind, colour)


def test_sizes_are_even_and_within_bounds() -> None:
    rng = np.random.default_rng(1)
    sizes = [draw.random_size(rng) for _ in range(500)]
    assert all(width % 2 == 0 and height % 2 == 0 for width, height in sizes)
    assert all(draw.SMALLEST_SIDE <= min(size) and max(size) <= draw.LARGEST_SIDE for size in sizes)
    aspects = [width / height for width, height in sizes]
    assert min(aspects) < 0.65
    assert max(aspects) > 1.55


@pytest.mark.parametrize("category", sorted(negatives.DRAWERS))
def test_negatives_of_every_category_have_the_size_asked_for(category: str) -> None:
    picture = draw.negative(np.random.default_rng(2), (200, 166), category)
    assert (picture.mode, picture.size) == ("RGB", (200, 166))
    again = draw.negative(np.random.default_rng(2), (200, 166), category)
    assert picture.tobytes() == again.tobytes()


def test_about_one_picture_in_eight_is_a_negative() -> None:
    rng = np.random.default_rng(7)
    refused = sum(draw.draw(int(rng.integers(2**31)), 0)[1] == draw.REFUSAL for _ in range(250))
    assert 12 <= refused <= 50


@pytest.mark.parametrize("way", sorted(disturb.WAYS))
def test_every_way_of_an_upload_keeps_the_picture(way: str) -> None:
    scene = draw.Scene.of("a large yellow heart on a blue background", seed=1)
    picture = draw.render(scene, 320, 180)
    passed = disturb.disturb(picture, np.random.default_rng(3), way)
    assert passed.mode == "RGB"
    before = np.asarray(disturb.model_pixels(picture), dtype=float)
    after = np.asarray(disturb.model_pixels(passed), dtype=float)
    assert np.abs(before - after).mean() < 16


def test_the_command_writes_pictures_and_captions(tmp_path: Path) -> None:
    command = [sys.executable, str(SAMPLE / "draw.py"), "12", "--seed", "6", "--out", str(tmp_path / "set")]
    subprocess.run(command, check=True)
    lines = [json.loads(line) for line in (tmp_path / "set" / "captions.jsonl").read_text().splitlines()]
    assert len(lines) == 12
    assert {path.name for path in (tmp_path / "set").glob("*.png")} == {line["file"] for line in lines}
    for number, line in enumerate(lines):
        picture, caption = draw.draw(6, number)
        assert line["caption"] == caption
        assert caption == draw.REFUSAL or draw.CAPTION.fullmatch(caption)
        with Image.open(io.BytesIO((tmp_path / "set" / line["file"]).read_bytes())) as written:
            assert written.convert("RGB").tobytes() == picture.tobytes()
