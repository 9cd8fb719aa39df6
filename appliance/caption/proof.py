"""A proof that a provider describes as the processor does: the same files, the same drawn pictures, both asked."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from appliance.caption.blip import BlipCaptioner
from appliance.caption.repetition import no_guard

_LEAST_COSINE = 0.98  # a provider that computes with fewer bits has more than 0.99, a broken one about 0
_LEAST_SAME = 0.9  # share of the words that both would choose
_SIDE = 384


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of the pictures: tokens, the scores [n, vocabulary] of what follows each; seconds a picture."""

    tokens: list[list[int]]
    scores: list[NDArray[np.float32]]
    seconds: float


def answers(captioner: BlipCaptioner) -> Answers:
    """Let the model describe the pictures, all at once where it would do so with a video's frames."""
    seen = [captioner.pixels(picture) for picture in pictures()]
    tokens, _ = _described(captioner, seen)
    tokens, seconds = _described(captioner, seen)  # again: the first time pays for what is made at its first use
    return Answers(tokens, _scores(captioner, seen, tokens), seconds)


def agree(expected: Answers, captioner: BlipCaptioner) -> tuple[bool, float]:
    """Return whether the model gives the `expected` answers on its provider, and how many seconds a picture takes it.

    They agree where every token is the same. Rounding differs between providers, and decides where two words are nearly
    equally likely, after which the rest may differ: where tokens do, both are asked for their scores along the same
    ones, and these must be alike and choose nearly always the same word.
    """
    seen = [captioner.pixels(picture) for picture in pictures()]
    tokens, _ = _described(captioner, seen)
    tokens, seconds = _described(captioner, seen)
    if tokens == expected.tokens:
        return True, seconds
    scores = _scores(captioner, seen, expected.tokens)
    cosine = min(_cosine(one, other) for one, other in zip(expected.scores, scores, strict=True))
    same = [one.argmax(-1) == other.argmax(-1) for one, other in zip(expected.scores, scores, strict=True)]
    # Written so that what is no number fails.
    return bool(cosine >= _LEAST_COSINE and np.concatenate(same).mean() >= _LEAST_SAME), seconds


def pictures() -> list[Image.Image]:
    """Draw what the sample model knows, a circle left of a square, and what it does not, a disc before a sky."""
    scene = Image.new("RGB", (_SIDE, _SIDE), (255, 255, 255))
    draw = ImageDraw.Draw(scene)
    draw.ellipse((40, 130, 170, 260), fill=(220, 30, 30))
    draw.rectangle((250, 160, 330, 240), fill=(30, 60, 220))
    sky = np.linspace((40, 90, 200), (240, 220, 180), _SIDE).astype(np.uint8)[:, None, :].repeat(_SIDE, axis=1)
    evening = Image.fromarray(sky)
    ImageDraw.Draw(evening).ellipse((90, 135, 255, 300), fill=(250, 200, 60))
    return [scene, evening]


def _described(captioner: BlipCaptioner, seen: list[NDArray[np.float32]]) -> tuple[list[list[int]], float]:
    started = time.perf_counter()
    if captioner.batch > 1:
        tokens = captioner.generate_many(np.concatenate(seen), banned=no_guard)
    else:
        tokens = [captioner.generate(one, banned=no_guard) for one in seen]
    return tokens, (time.perf_counter() - started) / len(seen)


def _scores(
    captioner: BlipCaptioner, seen: list[NDArray[np.float32]], tokens: list[list[int]]
) -> list[NDArray[np.float32]]:
    return [captioner.network.logits(one, text) for one, text in zip(seen, tokens, strict=True)]


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the least cosine of the angle between two rows of scores, each less its mean."""
    a, b = (array.astype(np.float64) - array.mean(-1, dtype=np.float64, keepdims=True) for array in (one, other))
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(((a * b).sum(-1) / np.maximum(lengths, 1e-30)).min())
