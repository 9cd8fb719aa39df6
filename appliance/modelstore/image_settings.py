"""How a BLIP checkpoint wants its pictures: size, mean, standard deviation."""

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from appliance.errors import CheckpointError
from appliance.sentences import say

_COPY = say("Copy the model's files there again.")
_BICUBIC = 3  # Pillow's number for it
# What transformers takes where the file says nothing.
_DEFAULTS: dict[str, Any] = {
    "do_resize": True,
    "size": 384,
    "resample": _BICUBIC,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """A picture is resized to width × height, multiplied by `rescale_factor`, less `mean`, over `std` (R, G, B)."""

    width: int
    height: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resample: str
    rescale_factor: float


def image_settings(folder: Path, image_size: int) -> tuple[ImageSettings, str]:
    """Return the settings and the name of the file they are from.

    That is `preprocessor_config.json`, or `processor_config.json` as transformers 5 writes it. Raises CheckpointError
    where neither is there, or one asks for what `image_size` (config.json's) or Shoebox cannot do.
    """
    for name in ("preprocessor_config.json", "processor_config.json"):
        path = folder / name
        if not path.is_file():
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content = content.get("image_processor", content)
            given = {key: value for key, value in content.items() if value is not None}
            return _settings(_DEFAULTS | given, image_size), name
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CheckpointError("{path} cannot be used: {error}.", _COPY, path=path, error=error) from error
    raise CheckpointError("{folder} lacks preprocessor_config.json.", _COPY, folder=folder)


def _settings(given: dict[str, Any], image_size: int) -> ImageSettings:
    size = given["size"]
    width, height = (size["width"], size["height"]) if isinstance(size, dict) else (size, size)
    if (width, height) != (image_size, image_size) or not given["do_resize"]:
        raise ValueError(f"pictures of {width} × {height} do not fit config.json's image_size {image_size}")
    if given["resample"] != _BICUBIC:
        raise ValueError(f"resample {given['resample']} is not bicubic ({_BICUBIC})")
    mean, std = _channels(given["image_mean"]), _channels(given["image_std"])
    if not given["do_normalize"]:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    factor = float(given["rescale_factor"]) if given["do_rescale"] else 1.0
    if min(std) <= 0 or not all(map(isfinite, (*mean, *std, factor))):
        raise ValueError("image_mean, image_std and rescale_factor must be numbers, and image_std above 0")
    return ImageSettings(width, height, mean, std, "bicubic", factor)


def _channels(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
