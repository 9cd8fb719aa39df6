"""A picture as numbers, bit for bit as transformers' BlipProcessor makes them, by Pillow and numpy alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

# Pillow's names; image processors count them 0 to 5.
_FILTERS = {filter.name.lower(): filter for filter in Resampling}


def pixels(
    picture: Image,
    size: tuple[int, int],
    mean: Sequence[float],
    std: Sequence[float],
    *,
    resample: str = "bicubic",
    rescale_factor: float = 1 / 255,
) -> NDArray[np.float32]:
    """Return `picture` as float32 [1, 3, height, width]: stretched to `size` (width, height), scaled and normalised.

    Raises KeyError for a filter that Pillow does not have.
    """
    stretched = picture.convert("RGB").resize(size, _FILTERS[resample])
    # The order and widths of these steps are transformers': multiply in double, round, normalise in single precision.
    scaled = (np.asarray(stretched).astype(np.float64) * rescale_factor).astype(np.float32)
    shift, spread = (np.asarray(values, dtype=np.float32) for values in (mean, std))
    normal = (scaled - shift) / spread
    return np.ascontiguousarray(normal.transpose(2, 0, 1))[np.newaxis]
