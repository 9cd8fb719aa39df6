"""Check an installed model: its files against their hashes, and its int8 graphs against the float ones."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from appliance.caption.pixels import pixels
from appliance.caption.session import open_session
from appliance.errors import ModelError
from appliance.modelstore import manifest
from appliance.modelstore.files import Progress, quiet, sha256

_TOKENS = 8  # of a caption that are compared
_LEAST_SIMILARITY = 0.9  # a good int8 graph has 0.98 and more, a broken one about 0

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two models are: the least cosine between their encodings and scores, the share of equal best tokens."""

    similarity: float
    same_tokens: float


def verify_files(folder: Path) -> None:
    """Raise ModelError, naming the file, where one in the model's folder is not what its manifest says."""
    for name, file in manifest.read(folder)["files"].items():
        if sha256(folder / name) != file["sha256"]:
            raise ModelError(f"{folder / name} is damaged: its SHA-256 differs.", "Install the model again.")


def require_agreement(precise: Path, quick: Path, progress: Progress = quiet) -> Agreement:
    """Compare the int8 model in `quick` with the float one in `precise`, and raise ModelError where they differ."""
    agreement = compare(precise, quick, progress)
    if not agreement.similarity >= _LEAST_SIMILARITY:  # also where it is no number at all
        raise ModelError(
            f"The int8 model answers otherwise than the original (similarity {agreement.similarity:.2f}).",
            "Install the model with --variant float, and report this.",
        )
    return agreement


def compare(precise: Path, quick: Path, progress: Progress = quiet) -> Agreement:
    """Let both models look at a few drawn pictures and write the first words; one graph is in memory at a time.

    The float model chooses the tokens and the other is asked for its scores of the same ones, so that one token chosen
    otherwise does not make all that follow incomparable. What the encoders say of a picture (42 MB for BLIP-base) waits
    on the disk, beside the models.
    """
    about = manifest.read(precise)
    seen = [_pixels(about["image"], picture) for picture in _pictures()]
    steps = 4 * len(seen)
    progress("check", 0, steps)
    with TemporaryDirectory(dir=quick.parent, prefix=".seen-") as shelf:
        crossed = _encode(precise, seen, Path(shelf) / "precise")
        progress("check", len(seen), steps)
        captions = _choose(precise, crossed, about["text"]["bos"])
        expected = _scores(precise, crossed, captions)
        progress("check", 2 * len(seen), steps)
        crossed_again = _encode(quick, seen, Path(shelf) / "quick")
        progress("check", 3 * len(seen), steps)
        cosines = [
            _cosine(_part(one, name), _part(other, name))
            for one, other in zip(crossed, crossed_again, strict=True)
            for name in _names(one)
        ]
        scores = _scores(quick, crossed_again, captions)
        progress("check", steps, steps)
    cosines += [_cosine(one, other) for one, other in zip(expected, scores, strict=True)]
    same = [one.argmax(-1) == other.argmax(-1) for one, other in zip(expected, scores, strict=True)]
    return Agreement(min(cosines), float(np.mean(same)))


def _pictures() -> list[Image.Image]:
    """Draw a disc before a sky of two colours, and stripes."""
    size = 256
    sky = np.linspace((40, 90, 200), (240, 220, 180), size).astype(np.uint8)[:, None, :].repeat(size, axis=1)
    disc = Image.fromarray(sky)
    ImageDraw.Draw(disc).ellipse((60, 90, 170, 200), fill=(200, 30, 30))
    stripes = Image.new("RGB", (size, size), (250, 250, 250))
    for left in range(0, size, 32):
        ImageDraw.Draw(stripes).rectangle((left, 0, left + 15, size), fill=(20, 80, 40))
    return [disc, stripes]


def _pixels(image: dict[str, Any], picture: Image.Image) -> NDArray[np.float32]:
    size, factor = (image["width"], image["height"]), image["rescale_factor"]
    return pixels(picture, size, image["mean"], image["std"], resample=image["resample"], rescale_factor=factor)


def _encode(folder: Path, seen: list[NDArray[np.float32]], shelf: Path) -> list[Path]:
    """Return the folders below `shelf` where each picture's cross-attention keys and values lie, by name."""
    session = open_session(folder / "encoder.onnx", lean=True)
    names = [output.name for output in session.get_outputs()]
    places = [shelf / str(number) for number in range(len(seen))]
    for place, pixels_seen in zip(places, seen, strict=True):
        place.mkdir(parents=True)
        for name, array in zip(names, session.run(names, {"pixels": pixels_seen}), strict=True):
            np.save(place / f"{name}.npy", array)
    return places


def _names(place: Path) -> list[str]:
    return sorted(file.stem for file in place.iterdir())


def _part(place: Path, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(place / f"{name}.npy")
    return array


def _taken(place: Path) -> Arrays:
    return {name: _part(place, name) for name in _names(place)}


def _choose(folder: Path, crossed: list[Path], bos: int) -> list[NDArray[np.int64]]:
    """Return the first tokens [1, n] that the model in `folder` would write for each picture, greedily."""
    session = open_session(folder / "decoder.onnx", lean=True)
    captions = []
    for place in crossed:
        cross = _taken(place)
        tokens = np.array([[bos]], dtype=np.int64)
        for _ in range(_TOKENS - 1):
            best = _run(session, cross, tokens)[:, -1:].argmax(-1)
            tokens = np.concatenate([tokens, best.astype(np.int64)], axis=1)
        captions.append(tokens)
    return captions


def _scores(folder: Path, crossed: list[Path], captions: list[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
    """Return the model's scores [1, n, vocabulary] of each picture's tokens."""
    session = open_session(folder / "decoder.onnx", lean=True)
    return [_run(session, _taken(place), tokens) for place, tokens in zip(crossed, captions, strict=True)]


def _run(session: Any, cross: Arrays, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
    feed: Arrays = {"tokens": tokens, **cross}
    for given in session.get_inputs():
        if given.name.startswith("past_"):
            _, heads, _, size = given.shape
            feed[given.name] = np.zeros((1, heads, 0, size), dtype=np.float32)
    (logits,) = session.run(["logits"], feed)
    scores: NDArray[np.float32] = logits
    return scores


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the cosine of the angle between two score arrays, each less its mean."""
    a, b = (array.astype(np.float64).ravel() - array.mean(dtype=np.float64) for array in (one, other))
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-30))
