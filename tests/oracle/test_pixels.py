"""Our pixels are bit for bit BlipProcessor's, on pictures of twenty shapes and sizes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from appliance.caption.pixels import pixels
from appliance.modelstore.image_settings import image_settings

pytestmark = pytest.mark.oracle
HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "models" / "sample" / "checkpoint"
SIZES = [
    (1, 1), (2, 3), (3, 200), (200, 3), (16, 16), (63, 65), (64, 64), (100, 37), (224, 224), (383, 385), (384, 384),
    (385, 384), (384, 100), (500, 333), (333, 500), (640, 480), (1000, 1000), (1920, 1080), (1080, 1920), (4000, 257),
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("folder", "side"), [(HERE / "blip-base", 384), (SAMPLE, 64)], ids=["blip-base", "sample"])
def test_bit_identical(folder: Path, side: int, size: tuple[int, int]) -> None:
    from transformers import BlipProcessor

    random = np.random.default_rng(size)
    width, height = size
    noise = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    steep = (np.indices((height, width)).sum(axis=0)[..., None] * np.array([3, 5, 7]) % 256).astype(np.uint8)
    processor = BlipProcessor.from_pretrained(folder)
    image, _ = image_settings(folder, side)
    for array in (noise, steep):
        picture = Image.fromarray(array)
        expected = processor(images=picture, return_tensors="np").pixel_values
        ours = pixels(
            picture,
            (image.width, image.height),
            image.mean,
            image.std,
            resample=image.resample,
            rescale_factor=image.rescale_factor,
        )
        assert ours.dtype == expected.dtype == np.float32
        np.testing.assert_array_equal(ours.view(np.uint32), expected.view(np.uint32))
