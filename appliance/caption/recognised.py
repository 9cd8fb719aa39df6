"""What the recogniser is sure of, and cautious sentences that say so ("Looks like a cup of espresso.")."""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_SAID = 3  # things that a sentence about a video names and can still be read


@dataclass(frozen=True, slots=True)
class Word:
    """A word that is surely true of a picture; `phrase` says it in a sentence, `likely` is surer than sure enough."""

    text: str
    phrase: str
    confidence: float
    likely: bool


@dataclass(frozen=True, slots=True)
class Recognised:
    """What one picture shows for sure: words, the narrowest first ("espresso", "coffee", "cup"); often none."""

    words: tuple[Word, ...] = ()


NOTHING = Recognised()


def together(pictures: Sequence[Recognised]) -> Recognised:
    """Return what is sure of a video by its moments: a word that is likely in one of them, or sure in two.

    Among many moments one is easily taken for something else.
    """
    found: dict[str, list[Word]] = {}
    for picture in pictures:
        for word in picture.words:
            found.setdefault(word.text, []).append(word)
    surest = (max(words, key=lambda word: word.confidence) for words in found.values())
    return Recognised(tuple(best for best in surest if best.likely or len(found[best.text]) > 1 or len(pictures) == 1))


def only(picture: Recognised, known: Recognised) -> Recognised:
    """Return the words of `picture` that are among those `known` of the whole, as sure as they are there."""
    sure = {word.text: word for word in known.words}
    return Recognised(tuple(sure[word.text] for word in picture.words if word.text in sure))


def sentence(pictures: Sequence[Recognised]) -> str | None:
    """Return one cautious sentence for one picture or for a video's moments in their order; None where nothing is sure.

    It names the narrowest word of each, at most three different ones, and beside a dog no animal.
    """
    narrowest = dict.fromkeys(picture.words[0] for picture in pictures if picture.words)
    broader = {word.text for picture in pictures for word in picture.words[1:]}
    named = ([word for word in narrowest if word.text not in broader] or list(narrowest))[:_MOST_SAID]
    if not named:
        return None
    beginning = "Looks like" if all(word.likely for word in named) else "Perhaps"
    return f"{beginning} {', then '.join(word.phrase for word in named)}."
