"""A model's two graphs run one at a time, in little memory: for trying a model out, not for describing with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from appliance.caption.pixels import pixels
from appliance.caption.repetition import guard
from appliance.caption.session import open_session
from appliance.caption.tokenizer import Tokenizer
from appliance.modelstore import manifest

Arrays = dict[str, NDArray[Any]]

_HELD = 48 << 20  # bytes of keys and values that are held at once; those of BLIP-base take 43 MB a picture


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption's tokens, with the first and the last, the scores [n, vocabulary] of each after the first, its text."""

    tokens: list[int]
    scores: NDArray[np.float32]
    text: str


class Decoder:
    """A model's decoder: captions, and the scores of tokens that are given."""

    def __init__(self, folder: Path) -> None:
        self._text = manifest.read(folder)["text"]
        self._tokenizer = Tokenizer.load(folder / "tokenizer.json")
        self._guard = guard(self._tokenizer.continuations)
        self._session = open_session(folder / "decoder.onnx")
        self._names = [output.name for output in self._session.get_outputs()]
        self._nothing = {
            given.name: np.zeros((1, given.shape[1], 0, given.shape[3]), _kind(given.type))
            for given in self._session.get_inputs()
            if given.name.startswith("past_")
        }

    def caption(self, crossed: Arrays) -> Caption:
        """Write the likeliest tokens one by one, as the captioner does."""
        tokens = [int(self._text["bos"])]
        past, fresh, rows = self._nothing, tokens, []
        while len(tokens) <= self._text["max_length"] and tokens[-1] != self._text["sep"]:
            scores, past = self._step(crossed, fresh, past)
            rows.append(scores)
            fresh = [int(self.allowed(scores[-1], tokens).argmax())]
            tokens = tokens + fresh
        return Caption(tokens, np.concatenate(rows), self._tokenizer.decode(tokens))

    def score(self, crossed: Arrays, tokens: list[int]) -> NDArray[np.float32]:
        """Return the scores [n, vocabulary] of what follows each of `tokens`."""
        return self._step(crossed, tokens, self._nothing)[0]

    def allowed(self, scores: NDArray[np.float32], tokens: list[int]) -> NDArray[np.float32]:
        """Return the scores [vocabulary] without the tokens that would make a loop of `tokens`."""
        left = scores.copy()
        left[list(self._guard(tokens) - {self._text["sep"]})] = -np.inf
        return left

    def _step(self, crossed: Arrays, tokens: list[int], past: Arrays) -> tuple[NDArray[np.float32], Arrays]:
        feed = {"tokens": np.array([tokens], dtype=np.int64), **crossed, **past}
        made = dict(zip(self._names, self._session.run(self._names, feed), strict=True))
        return made.pop("logits")[0], {f"past_{name}": array for name, array in made.items()}


def looked_at(folder: Path, pictures: Iterable[Image]) -> Iterator[list[Arrays]]:
    """Let the encoder in `folder` look at pictures; yield their cross-attention keys and values, a few at a time.

    What is yielded is held by the caller alone, and no encoder meanwhile.
    """
    waiting = list(pictures)
    while waiting:
        encoder, some, held = _Encoder(folder), [], 0
        while waiting and held < _HELD:
            some.append(encoder.look(waiting.pop(0)))
            held += sum(array.nbytes for array in some[-1].values())
        del encoder
        yield some


class _Encoder:
    def __init__(self, folder: Path) -> None:
        self._image = manifest.read(folder)["image"]
        self._session = open_session(folder / "encoder.onnx")
        self._names = [output.name for output in self._session.get_outputs()]

    def look(self, picture: Image) -> Arrays:
        image = self._image
        size, factor = (image["width"], image["height"]), image["rescale_factor"]
        seen = pixels(picture, size, image["mean"], image["std"], resample=image["resample"], rescale_factor=factor)
        return dict(zip(self._names, self._session.run(self._names, {"pixels": seen}), strict=True))


def _kind(name: str) -> type[np.floating[Any]]:
    return np.float16 if name == "tensor(float16)" else np.float32
