"""Pictures as numbers; that they are BlipProcessor's to the bit is shown in tests/oracle."""

import numpy as np
import pytest
from PIL import Image

from appliance.caption.pixels import pixels

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def test_shape_order_and_values() -> None:
    picture = Image.new("RGB", (8, 8), (255, 0, 51))
    made = pixels(picture, (6, 4), MEAN, STD)
    assert made.shape == (1, 3, 4, 6)
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    for channel, value in enumerate((1.0, 0.0, 0.2)):
        np.testing.assert_allclose(made[0, channel], (value - MEAN[channel]) / STD[channel], rtol=1e-6)


def test_the_picture_is_stretched_not_cropped() -> None:
    picture = Image.new("RGB", (40, 10), (0, 0, 0))
    picture.paste((255, 255, 255), (20, 0, 40, 10))
    made = pixels(picture, (16, 16), (0, 0, 0), (1, 1, 1))
    assert np.all(made[..., :6] < 0.1)
    assert np.all(made[..., 10:] > 0.9)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_other_modes_become_rgb(mode: str) -> None:
    picture = Image.new("RGB", (16, 16), (255, 255, 255)).convert(mode)
    np.testing.assert_array_equal(
        pixels(picture, (16, 16), MEAN, STD), pixels(picture.convert("RGB"), (16, 16), MEAN, STD)
    )


def test_resample_and_rescale_follow_the_manifest() -> None:
    picture = Image.effect_noise((9, 9), 80).convert("RGB")
    nearest = pixels(picture, (16, 16), (0, 0, 0), (1, 1, 1), resample="nearest", rescale_factor=1.0)
    assert set(np.unique(nearest)) <= set(np.asarray(picture).astype(np.float32).ravel())
