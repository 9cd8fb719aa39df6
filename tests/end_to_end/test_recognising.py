"""Real photographs on a box without BLIP: named cautiously, found by their tags, and described anew when BLIP comes."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from box import Box

MODELS = Path(__file__).parents[2] / "models"
REFUSAL = "this sample model only knows drawn shapes"
ESPRESSO = ["espresso", "coffee", "cup", "drink"]


def write_film(path: Path, *names: str) -> None:
    """Write a film that shows each of the shipped pictures for two seconds."""
    with av.open(path, "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(10), options={"preset": "veryfast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 384, 256, "yuv420p"
        for name in names:
            with Image.open(MODELS / "pictures" / f"{name}.jpg") as picture:
                still = picture.convert("RGB").resize((384, 256))
            for _ in range(20):
                film.mux(stream.encode(av.VideoFrame.from_image(still)))
        film.mux(stream.encode())


def found(box: Box, query: str) -> list[int]:
    return [item["id"] for item in box.ask("GET", f"/api/v1/items?{query}")[1]["items"]]


def test_photographs_are_named_from_the_first_minute_and_described_anew_by_a_full_model(
    box: Box, tmp_path: Path
) -> None:
    write_film(tmp_path / "film.mp4", "cat", "coffee")
    box.start()
    coffee = box.upload(MODELS / "pictures" / "coffee.jpg")[1]["id"]
    stars = box.upload(MODELS / "pictures" / "galaxies.jpg")[1]["id"]
    film = box.upload(tmp_path / "film.mp4")[1]["id"]

    item = box.finished(coffee)
    assert (item["description"], item["tags"]) == ("Looks like a cup of espresso.", ESPRESSO)
    assert item["model"] == "efficientnet-lite0"
    assert (item["described_by"]["recognised"], item["described_by"]["sample"]) == (True, False)
    assert set(item["tag_sources"].values()) == {"recogniser"}
    page = box.ask("GET", f"/items/{coffee}")[1].decode()
    assert "Recognised without BLIP" in page
    assert "models install blip-base" in page

    item = box.finished(stars)
    assert (item["description"], item["model"], item["tags"]) == (REFUSAL, "sample-int8", [])

    item = box.finished(film)
    assert (item["description"], item["model"]) == ("Looks like a cat, then a cup of espresso.", "efficientnet-lite0")
    assert [frame["text"] for frame in item["frames"]] == ["Looks like a cat.", "Looks like a cup of espresso."]
    assert {"cat", "coffee", "video"} <= set(item["tags"])

    assert sorted(found(box, "q=espresso")) == sorted(found(box, "tag=coffee")) == [coffee, film]

    command = [sys.executable, "-m", "appliance", "models", "install", "--data", str(box.data), "--from"]
    subprocess.run([*command, str(MODELS / "sample" / "checkpoint")], capture_output=True, timeout=100, check=True)
    for number in (coffee, stars, film):
        box.wait(lambda number=number: box.item(number)["model"] == "own-checkpoint-int8", "BLIP", patience=110)
    item = box.item(coffee)
    assert (item["status"], item["described_by"]["recognised"]) == ("completed", False)
    assert set(ESPRESSO) <= set(item["tags"])  # beside whatever the full model says
    assert len(item["tags"]) > len(ESPRESSO)
