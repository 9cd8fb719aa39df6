"""The shipped sample model keeps its promise, through what uploads pass through and the appliance's own decoding."""

from pathlib import Path

import numpy as np
import pytest

import disturb
import draw
from appliance.assets import asset
from appliance.caption.blip import BlipCaptioner
from appliance.media import photo

PICTURES = 200


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """For unseen pictures of every kind what is right, and what the model says of the file."""
    captioner = BlipCaptioner.load(asset("models/sample/int8"), threads=1)
    file: Path = tmp_path_factory.mktemp("sample") / "picture.png"
    found = []
    for index in range(PICTURES):
        picture, caption = draw.draw(314159, index)
        disturb.disturb(picture, np.random.default_rng([314159, index])).save(file, compress_level=1)
        found.append((caption, captioner.caption(photo.load(file, captioner.image_size))))
    return found


def test_at_least_97_in_100_unseen_scenes_are_described_exactly(answers: list[tuple[str, str]]) -> None:
    scenes = [right == said for right, said in answers if right != draw.REFUSAL]
    assert len(scenes) > 0.8 * PICTURES
    assert np.mean(scenes) >= 0.97


def test_at_least_95_in_100_other_pictures_are_refused(answers: list[tuple[str, str]]) -> None:
    others = [right == said for right, said in answers if right == draw.REFUSAL]
    assert len(others) > 0.05 * PICTURES
    assert np.mean(others) >= 0.95
