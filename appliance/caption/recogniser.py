"""The recogniser: a small classifier (EfficientNet-Lite0, see models/recogniser/) that names what it is sure of.

It knows 1,000 classes. What it says are a family's words, each of which adds up the classes that it covers: all breeds
of dogs are "dog", so that it can be sure of the dog where it is not of the breed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL.Image import Image

from appliance.caption.pixels import pixels
from appliance.caption.recognised import Recognised, Word
from appliance.caption.session import open_session, out_of_memory
from appliance.errors import CaptionerError, ModelError, TooLittleMemoryError
from appliance.sentences import say

SIDE = 224  # pixels of the square that is looked at
_MEAN = (127.0, 127.0, 127.0)
_SPREAD = (128.0, 128.0, 128.0)
_NEXT_STEP = say("Install Shoebox again.")


class Labels:
    """The words for the classes, and how sure a word must be to be said (probabilities between 0 and 1).

    `sure` is enough to be said, `likely` to be said without a "perhaps"; `broad` words have thresholds of their own.
    `phrases` says words in a sentence that want more than an article. `classes` has each class's words, the narrowest
    first, none where the class is not to be relied on.
    """

    def __init__(
        self,
        model: str,
        temperature: float,
        sure: float,
        likely: float,
        broad: Mapping[str, float],
        phrases: Mapping[str, str],
        classes: Sequence[Sequence[str]],
    ) -> None:
        self.model = model
        self.words = tuple(dict.fromkeys(word for words in classes for word in words))
        self._temperature = temperature
        self._likely = likely
        self._sure = np.array([max(sure, broad.get(word, 0.0)) for word in self.words])
        self._phrases = [phrases.get(word) or _with_article(word) for word in self.words]
        places = {word: place for place, word in enumerate(self.words)}
        pairs = [(number, places[word]) for number, words in enumerate(classes) for word in words]
        self._class_of, self._word_of = (np.array(column, dtype=np.intp) for column in zip(*pairs, strict=True))
        self._classes_of = np.bincount(self._word_of)

    @classmethod
    def load(cls, path: Path) -> "Labels":
        """Read labels.json; raise ModelError where it is missing or damaged."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelError(
                "{path} is missing or damaged: {error}.", _NEXT_STEP, path=path, error=repr(error)
            ) from error

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how probable each word is, by the `scores` [classes] of one picture."""
        powers = np.exp((scores - scores.max()).astype(np.float64) / self._temperature)
        found = np.zeros(len(self.words))
        np.add.at(found, self._word_of, (powers / powers.sum())[self._class_of])
        return found

    def recognised(self, scores: NDArray[np.floating]) -> Recognised:
        """Return the words that are sure, the narrowest first."""
        confidences = self.probabilities(scores)
        said = [int(place) for place in np.flatnonzero(confidences >= self._sure)]
        # Of two that cover as many classes the more probable, or the one that labels.json names first.
        order = sorted(said, key=lambda place: (int(self._classes_of[place]), -round(float(confidences[place]), 6)))
        return Recognised(tuple(self._word(place, float(confidences[place])) for place in order))

    def _word(self, place: int, confidence: float) -> Word:
        return Word(self.words[place], self._phrases[place], confidence, confidence >= self._likely)


class Recogniser:
    """The loaded network with its labels. One thread at a time may use it."""

    def __init__(self, session: onnxruntime.InferenceSession, labels: Labels) -> None:
        self._session = session
        self._labels = labels

    @classmethod
    def load(cls, folder: Path) -> "Recogniser":
        """Load recogniser.onnx and labels.json of `folder`, to run on one thread of the processor, which is enough.

        Raises ModelError where a file is missing or damaged, TooLittleMemoryError.
        """
        return cls(open_session(folder / "recogniser.onnx", "cpu", 1, lean=True), Labels.load(folder / "labels.json"))

    @property
    def model(self) -> str:
        """The id under which descriptions made of its words are kept."""
        return self._labels.model

    def scores(self, picture: Image) -> NDArray[np.float32]:
        """Return the network's scores [classes] for `picture`, seen whole; raise CaptionerError where it fails."""
        try:
            scores: NDArray[np.float32] = self._session.run(None, {"pixels": prepared(picture)})[0][0]
        except Exception as error:  # onnxruntime's own exceptions derive from Exception alone
            if out_of_memory(error):
                raise TooLittleMemoryError from error
            raise CaptionerError("The recogniser failed on this picture: {error}.", error=error) from error
        return scores

    def recognise(self, picture: Image) -> Recognised:
        """Return what `picture` surely shows; raise CaptionerError."""
        return self._labels.recognised(self.scores(picture))


def prepared(picture: Image) -> NDArray[np.float32]:
    """Return `picture`, stretched, as the network takes it: float32 [1, 3, 224, 224], about -1 to 1."""
    return pixels(picture, (SIDE, SIDE), _MEAN, _SPREAD, rescale_factor=1.0)


def _with_article(word: str) -> str:
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"
