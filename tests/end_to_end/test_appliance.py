"""The main job, with real parts only: `shoebox run`, uploads over a socket, and the shipped model's own sentences."""

import subprocess
import sys
from pathlib import Path

import pytest

from box import Box
from draw import Scene, Shape
from uploads import write_photo, write_video

RED_CIRCLE, BLUE_SQUARE = Shape("circle", "red", "large"), Shape("square", "blue", "small")
GREEN_STAR, YELLOW_HEART = Shape("star", "green", "large"), Shape("heart", "yellow", "large")

# How it was made, the scene, the sentence and the tags that must come out.
PHOTOS = {
    "turned.jpg": (
        "JPEG with orientation 6",
        Scene(RED_CIRCLE, "white", BLUE_SQUARE, "left of", seed=1),
        "a large red circle left of a small blue square on a white background",
        ["red", "circle", "blue", "square", "white", "2024", "Fairphone FP5"],
    ),
    "phone.heic": (
        "HEIC",
        Scene(GREEN_STAR, "white", seed=2),
        "a large green star on a white background",
        ["green", "star", "white"],
    ),
    "clear.png": (
        "PNG with alpha",
        Scene(Shape("triangle", "purple", "large"), "white", Shape("cross", "black", "small"), "above", seed=3),
        "a large purple triangle above a small black cross on a white background",
        ["purple", "triangle", "black", "cross", "white"],
    ),
    "print.jpg": (
        "CMYK JPEG",
        Scene(YELLOW_HEART, "black", seed=4),
        "a large yellow heart on a black background",
        ["yellow", "heart", "black"],
    ),
    "still.gif": (
        "GIF",
        Scene(Shape("square", "orange", "small"), "blue", seed=5),
        "a small orange square on a blue background",
        ["orange", "square", "blue"],
    ),
    "small.avif": (
        "AVIF",
        Scene(Shape("diamond", "white", "large"), "brown", Shape("circle", "cyan", "small"), "left of", seed=6),
        "a large white diamond left of a small cyan circle on a brown background",
        ["white", "diamond", "cyan", "circle", "brown"],
    ),
}
VIDEO_SCENES = [Scene(RED_CIRCLE, "white", seed=11), Scene(GREEN_STAR, "black", seed=12)]
VIDEO_TEXTS = ["a large red circle on a white background", "a large green star on a black background"]
VIDEO_TAGS = ["red", "circle", "white", "green", "star", "black", "video"]
VIDEOS = {"film.mp4": "libx264", "clip.mov": "libx265", "web.webm": "libvpx-vp9"}


def test_photos_and_videos_go_in_and_their_descriptions_come_out(box: Box, tmp_path: Path) -> None:
    for name, (how, scene, _, _) in PHOTOS.items():
        write_photo(tmp_path / name, scene, how)
    for name, encoder in VIDEOS.items():
        write_video(tmp_path / name, VIDEO_SCENES, encoder)
    (tmp_path / "letter.jpg").write_text("Dear grandmother, here are the pictures that I promised you.\n" * 50)
    cut_off = (tmp_path / "film.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(cut_off[: len(cut_off) // 2])
    box.start()

    status, problem = box.upload(tmp_path / "letter.jpg")
    assert (status, problem["status"]) == (415, 415)
    assert "text" in problem["detail"]
    assert problem["next_step"]
    numbers = {}
    for name in ["cut.mp4", *PHOTOS, *VIDEOS]:
        status, item = box.upload(tmp_path / name)
        assert (status, item["status"]) == (201, "pending"), item
        numbers[name] = item["id"]

    for name, (_, _, sentence, tags) in PHOTOS.items():
        item = box.finished(numbers[name])
        assert (item["status"], item["description"], item["tags"]) == ("completed", sentence, tags), name
        assert item["model"] == "sample-int8"
        assert item["error"] is None
    for name in VIDEOS:
        item = box.finished(numbers[name])
        assert (item["status"], item["kind"]) == ("completed", "video"), (name, item["error"])
        assert [frame["text"] for frame in item["frames"]] == VIDEO_TEXTS, name
        first, second = (frame["at"] for frame in item["frames"])
        assert 0 <= first < 2 <= second < 4
        assert item["description"] == f"First {VIDEO_TEXTS[0]}, then {VIDEO_TEXTS[1]}."
        assert item["tags"] == VIDEO_TAGS
    turned = box.item(numbers["turned.jpg"])
    assert (turned["width"], turned["height"]) == (960, 720)
    assert turned["taken_at"] == "2024-05-03T14:20:00+02:00"
    assert turned["camera"] == "Fairphone FP5"
    broken = box.finished(numbers["cut.mp4"])
    assert broken["status"] == "failed"
    assert "cut off" in broken["error"]
    assert box.ask("GET", "/api/v1/status")[1]["counts"] == {
        "pending": 0, "processing": 0, "completed": len(PHOTOS) + len(VIDEOS), "failed": 1,
    }  # fmt: skip
    assert not list((box.data / "incoming").iterdir())
    assert box.stop() == 0


def test_the_same_bytes_twice_are_one_item_and_the_original_comes_back_untouched(box: Box, tmp_path: Path) -> None:
    photo = tmp_path / "one.png"
    write_photo(photo, Scene(GREEN_STAR, "white", seed=2), "PNG with alpha")
    box.start()
    status, first = box.upload(photo)
    copy = photo.rename(tmp_path / "another-name.png")
    again, second = box.upload(copy)
    assert (status, again) == (201, 200)
    assert second["duplicate"] is True
    assert second["id"] == first["id"]
    assert box.ask("GET", f"/api/v1/items/{first['id']}/original") == (200, copy.read_bytes())
    assert len([path for path in (box.data / "originals").rglob("*") if path.is_file()]) == 1


def test_what_the_sample_described_is_described_again_by_a_full_model(box: Box, tmp_path: Path) -> None:
    photo = tmp_path / "one.jpg"
    write_photo(photo, Scene(RED_CIRCLE, "white", seed=1), "JPEG")
    box.start()
    number = box.upload(photo)[1]["id"]
    assert box.finished(number)["model"] == "sample-int8"
    assert box.ask("GET", "/api/v1/status")[1]["model"]["sample"] is True
    checkpoint = Path(__file__).parents[2] / "models" / "sample" / "checkpoint"
    install = [
        sys.executable,
        "-m",
        "appliance",
        "models",
        "install",
        "--from",
        str(checkpoint),
        "--data",
        str(box.data),
    ]
    done = subprocess.run(install, capture_output=True, text=True, timeout=100, check=True)
    assert "own-checkpoint-int8" in done.stdout
    box.wait(lambda: box.item(number)["model"] == "own-checkpoint-int8", "the second description", patience=110)
    assert box.item(number)["status"] == "completed"
    assert box.ask("GET", "/api/v1/status")[1]["model"]["sample"] is False


@pytest.mark.parametrize("describe", ["true", "false"])
def test_describing_on_upload_can_be_switched_off(box: Box, tmp_path: Path, describe: str) -> None:
    photo = tmp_path / "one.jpg"
    write_photo(photo, Scene(RED_CIRCLE, "white", seed=1), "JPEG")
    box.start(environment={"AI_AUTO_PROCESS_ON_UPLOAD": describe, "AI_SCHEDULED_PROCESSING": "false"})
    number = box.upload(photo)[1]["id"]
    if describe == "true":
        assert box.finished(number)["status"] == "completed"
        return
    box.wait(lambda: box.item(number)["prepared"], "the thumbnails")
    assert box.item(number)["status"] == "pending"
    assert box.ask("POST", f"/api/v1/items/{number}/describe")[0] == 202  # a person who waits comes first
    assert box.finished(number)["status"] == "completed"
