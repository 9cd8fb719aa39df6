"""A model's two graphs run one at a time, in little memory: for trying a model out, not for describing with it."""

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
from appliance.modelstore.files import give_memory_back

Arrays = dict[str, NDArray[Any]]


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
        self._session = open_session(folder / "decoder.onnx", lean=True)
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


def look(folder: Path, picture: Image) -> Arrays:
    """Let the encoder of the model in `folder` look at `picture`; return the cross-attention keys and values by name.

    The encoder is opened for it and let go at once, which takes no time where its weights are mapped.
    """
    image = manifest.read(folder)["image"]
    size, factor = (image["width"], image["height"]), image["rescale_factor"]
    seen = pixels(picture, size, image["mean"], image["std"], resample=image["resample"], rescale_factor=factor)
    session = open_session(folder / "encoder.onnx", lean=True)
    names = [output.name for output in session.get_outputs()]
    crossed = dict(zip(names, session.run(names, {"pixels": seen}), strict=True))
    del session, seen
    give_memory_back()
    return crossed


def _kind(name: str) -> type[np.floating[Any]]:
    return np.float16 if name == "tensor(float16)" else np.float32
