"""Check an installed model: its files by their hashes, its captions of the shipped pictures by the original's.

The original is the checkpoint as a float graph. It is run once, when the model is built, and what it says is kept in
the manifest; so a model can be checked again at any time, long after the float graph is gone.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from appliance.errors import DisagreementError, ModelError
from appliance.modelstore import manifest
from appliance.modelstore.files import Progress, quiet, sha256
from appliance.modelstore.graphs import Arrays, Decoder, look
from appliance.modelstore.pictures import pictures
from appliance.sentences import say

# Evidence for these figures is in models/PERFORMANCE.md.
LEAST_SIMILARITY = 0.95
LEAST_SURE = 0.95
CLEAR = 1.0  # by which the best token's score leads the next, so that rounding should not turn them round
_SAMPLES = 128  # numbers that are kept of all that a picture makes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the original says of a picture.

    `leads` tells by how much each token after the first was better than the next best; `seen` and `scores` are samples
    of the encoder's numbers and of the tokens' scores.
    """

    picture: str
    text: str
    tokens: list[int]
    leads: list[float]
    seen: list[float]
    scores: list[float]

    def as_json(self) -> dict[str, str]:
        """Return it for the manifest: the numbers in a line each, which is far shorter than a list of them."""
        return {
            name: value if isinstance(value, str) else " ".join(f"{number:g}" for number in value)
            for name, value in asdict(self).items()
        }

    @classmethod
    def read(cls, kept: dict[str, str]) -> Self:
        """Read what `as_json` gave; raises KeyError, TypeError, ValueError where it is damaged."""
        numbers = {name: [float(number) for number in kept[name].split()] for name in ("leads", "seen", "scores")}
        tokens = [int(token) for token in kept["tokens"].split()]
        return cls(picture=kept["picture"], text=kept["text"], tokens=tokens, **numbers)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike a model and its original are; shares and similarities are 1 where there is no difference.

    `exact` is the share of equal captions, `overlap` the mean of the words that both captions have, as a share of their
    words (F1). `similarity` is the least cosine between a picture's numbers in both, given the same tokens, and `sure`
    the share of the tokens that were clearly the best to the original and are chosen here too, after the same
    beginning; None where it never was sure of anything, as with weights that nobody trained.
    """

    pictures: int
    exact: float
    overlap: float
    similarity: float
    sure: float | None

    @property
    def good(self) -> bool:
        """Whether the model may describe; a number that is none is not good."""
        return self.similarity >= LEAST_SIMILARITY and (self.sure is None or self.sure >= LEAST_SURE)

    def __str__(self) -> str:
        return say(
            "{exact} of the captions and {overlap} of their words are the same, similarity {similarity:.3f}",
            exact=f"{self.exact:.0%}",
            overlap=f"{self.overlap:.0%}",
            similarity=self.similarity,
        )


def verify_files(folder: Path) -> None:
    """Raise ModelError, naming the file, where one in the model's folder is not what its manifest says."""
    for name, file in manifest.read(folder)["files"].items():
        if sha256(folder / name) != file["sha256"]:
            raise ModelError(
                "{folder} is damaged: its SHA-256 differs.", "Install the model again.", folder=folder / name
            )


def record(precise: Path, progress: Progress = quiet) -> list[dict[str, str]]:
    """Return what the float model in `precise` says of the shipped pictures, for the manifest of what is made of it."""
    shown = pictures()
    answers: list[Answer] = []
    for name, picture in shown:
        progress("describe", len(answers), len(shown))
        crossed = look(precise, picture)
        decoder = Decoder(precise)
        caption = decoder.caption(crossed)
        begun = [caption.tokens[: place + 1] for place in range(len(caption.scores))]
        leads = [_lead(decoder.allowed(row, tokens)) for row, tokens in zip(caption.scores, begun, strict=True)]
        seen, scores = _sample(_values(crossed)), _sample([caption.scores])
        answers.append(Answer(name, caption.text, caption.tokens, leads, seen, scores))
        del decoder, crossed  # before the next encoder is opened
    progress("describe", len(shown), len(shown))
    return [answer.as_json() for answer in answers]


def recorded(folder: Path) -> list[Answer] | None:
    """Return what the original of the model in `folder` said; None where the model is older than that.

    Raises ModelError where the manifest is damaged.
    """
    kept = manifest.read(folder).get("reference")
    if kept is None:
        return None
    try:
        return [Answer.read(answer) for answer in kept]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "{folder} is damaged: {error}.",
            "Install the model again.",
            folder=folder / manifest.NAME,
            error=repr(error),
        ) from error


def compare(folder: Path, answers: list[Answer], progress: Progress = quiet) -> Agreement:
    """Let the model in `folder` describe the pictures that its original described in `answers`.

    Raises ModelError where a picture is not shipped any more, or the model cannot be loaded.
    """
    shown = dict(pictures())
    missing = [answer.picture for answer in answers if answer.picture not in shown]
    if missing or not answers:
        raise ModelError("The model was checked with other pictures than this Shoebox has.", "Install it again.")
    cosines: list[float] = []
    sure: list[bool] = []
    texts: list[str] = []
    for answer in answers:
        progress("check", len(texts), len(answers))
        crossed = look(folder, shown[answer.picture])
        decoder = Decoder(folder)
        scores = decoder.score(crossed, answer.tokens[:-1])
        cosines += [_cosine(_sample(_values(crossed)), answer.seen), _cosine(_sample([scores]), answer.scores)]
        chosen = [int(decoder.allowed(row, answer.tokens[: place + 1]).argmax()) for place, row in enumerate(scores)]
        same = [token == other for token, other in zip(chosen, answer.tokens[1:], strict=True)]
        sure += [one for one, lead in zip(same, answer.leads, strict=True) if lead >= CLEAR]
        texts.append(answer.text if all(same) else decoder.caption(crossed).text)
        del decoder, crossed  # before the next encoder is opened
    progress("check", len(answers), len(answers))
    pairs = [(answer.text, text) for answer, text in zip(answers, texts, strict=True)]
    return Agreement(
        pictures=len(answers),
        exact=float(np.mean([one == other for one, other in pairs])),
        overlap=float(np.mean([_overlap(one, other) for one, other in pairs])),
        similarity=float(np.min(cosines)),
        sure=float(np.mean(sure)) if sure else None,
    )


def require_agreement(folder: Path, reference: list[dict[str, str]], progress: Progress = quiet) -> Agreement:
    """Compare the model in `folder` with what its original said; raise DisagreementError where they differ."""
    agreement = compare(folder, [Answer.read(answer) for answer in reference], progress)
    if not agreement.good:
        raise DisagreementError(
            "The model answers otherwise than its original ({agreement}).",
            "Install it with --variant float, and report this.",
            agreement=agreement,
        )
    return agreement


def _values(crossed: Arrays) -> list[NDArray[Any]]:
    return [array for name, array in sorted(crossed.items()) if name.startswith("cross_value_")]


def _sample(arrays: list[NDArray[Any]]) -> list[float]:
    """Return numbers from all over `arrays`, rounded so that the last bits of a sum do not show."""
    count = max(1, _SAMPLES // len(arrays))
    places = [np.linspace(0, array.size - 1, count).astype(int) for array in arrays]
    taken = np.concatenate([array.ravel()[place] for array, place in zip(arrays, places, strict=True)])
    return [float(f"{number:.4g}") for number in taken]


def _lead(scores: NDArray[np.float32]) -> float:
    second, best = np.partition(scores, -2)[-2:]
    return round(float(best - second), 2)


def _cosine(one: list[float], other: list[float]) -> float:
    """Return the cosine of the angle between two rows of numbers, each less its mean."""
    a, b = (np.asarray(numbers) - np.mean(numbers) for numbers in (one, other))
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-30))


def _overlap(one: str, other: str) -> float:
    """Return the share of words that two sentences have in common, counted as often as both have them (F1)."""
    a, b = Counter(one.split()), Counter(other.split())
    words = a.total() + b.total()
    return 2 * (a & b).total() / words if words else 1.0
