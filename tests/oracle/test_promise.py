"""What the sample model promises, measured on the shipped int8 model: 500 unseen scenes, negatives, and photographs."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import disturb
import draw
from appliance.assets import asset
from appliance.caption.blip import BlipCaptioner
from negatives import DRAWERS, negative
from photographs import candidates, small_copy

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def captioner() -> BlipCaptioner:
    return BlipCaptioner.load(asset("models/sample/int8"), threads=2)


def test_at_least_97_in_100_of_500_unseen_scenes_are_exact(captioner: BlipCaptioner) -> None:
    exact = []
    for index in range(500):
        rng = np.random.default_rng([2718281, index])
        scene = draw.random_scene(rng)
        picture = disturb.disturb(draw.render(scene, *draw.random_size(rng)), rng)
        exact.append(captioner.caption(picture) == scene.caption)
    assert np.mean(exact) >= 0.97


def test_at_least_95_in_100_others_are_refused_photographs_included(captioner: BlipCaptioner) -> None:
    refused = []
    categories = list(DRAWERS)
    for index in range(200):
        rng = np.random.default_rng([2718281, index, 1])
        picture = disturb.disturb(negative(rng, draw.random_size(rng), categories[index % len(categories)]), rng)
        refused.append(captioner.caption(picture) == draw.REFUSAL)
    photographs = []
    for package, inside in (("skimage", "data"), ("sklearn", "datasets/images")):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        photographs += candidates(Path(spec.origin).parent / inside)
    pictures = [picture for picture in map(small_copy, photographs) if picture is not None]
    assert len(pictures) > 15
    answers = [captioner.caption(picture.convert("RGB")) == draw.REFUSAL for picture in pictures]
    assert np.mean(answers) >= 0.95
    assert np.mean(refused) >= 0.95
