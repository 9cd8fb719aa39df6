"""A video's frames put into words: near-equal neighbours merged, and one sentence for the whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from appliance.caption.tags import is_refusal
from appliance.caption.words import PLACES, telling_words
from appliance.records import Frame

_COMMON = 0.6  # the share of the longer sentence that the shorter must have to count as the same
_MOST_SCENES = 3  # that a sentence can name and still be read
_NUMBERS = ("", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


def near_equal(one: str, other: str) -> bool:
    """Whether two descriptions say the same, one perhaps in more words.

    "a dog on the beach" is near "a dog running on the beach". A word exchanged for another ("a red circle", "a green
    circle") is another scene, and so is another order where the words tell places.
    """
    shorter, longer = sorted((telling_words(one), telling_words(other)), key=len)
    if len(shorter) < _COMMON * len(longer):
        return False
    if PLACES & {*shorter, *longer}:
        rest = iter(longer)
        return all(word in rest for word in shorter)
    return Counter(shorter) <= Counter(longer)


def merge(frames: Sequence[Frame]) -> list[Frame]:
    """Return the frames with near-equal neighbours made one, in the order of time.

    One keeps the first's time and thumbnail, and the text that most of them have.
    """
    groups: list[list[Frame]] = []
    for frame in sorted(frames, key=lambda frame: frame.at):
        if groups and near_equal(groups[-1][0].text, frame.text):
            groups[-1].append(frame)
        else:
            groups.append([frame])
    return [replace(group[0], text=Counter(frame.text for frame in group).most_common(1)[0][0]) for group in groups]


def summarise(frames: Sequence[Frame], *, duration: float | None = None, refusal: str | None = None) -> str:
    """Return one sentence for a video whose frames are described; `duration` is the video's, in seconds.

    One scene gives its own text; two or three are told in their order; of more, the three that last longest. Frames
    that the model refused (see `tags`) count only where there is no other.
    """
    shown = _shown(frames, duration)
    known = [scene for scene in shown if not is_refusal(scene[0], refusal)] or shown
    scenes = _distinct(known)
    if len(scenes) <= 1:
        return scenes[0][0] if scenes else ""
    if len(scenes) == 2:
        return f"First {_plain(scenes[0][0])}, then {_plain(scenes[1][0])}."
    if len(scenes) == 3:
        first, second, third = (_plain(text) for text, _ in scenes)
        return f"First {first}, then {second}, finally {third}."
    count = _NUMBERS[len(scenes)] if len(scenes) < len(_NUMBERS) else str(len(scenes))
    longest = sorted(scenes, key=lambda scene: -scene[1])[:_MOST_SCENES]
    return f"{count} scenes, among them {'; '.join(_plain(text) for text, _ in scenes if (text, _) in longest)}."


def _shown(frames: Sequence[Frame], duration: float | None) -> list[tuple[str, float]]:
    """Return each text and how many seconds it was to be seen, as far as the frames tell."""
    ordered = sorted(frames, key=lambda frame: frame.at)
    ends = [frame.at for frame in ordered[1:]]
    if ordered:
        ends.append(max(duration or 0.0, ordered[-1].at))
    return [(frame.text, end - frame.at) for frame, end in zip(ordered, ends, strict=True)]


def _distinct(scenes: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Add up the times of scenes that come again; each stays where it came first."""
    found: list[tuple[str, float]] = []
    for text, seconds in scenes:
        for index, (known, before) in enumerate(found):
            if near_equal(known, text):
                found[index] = (known, before + seconds)
                break
        else:
            found.append((text, seconds))
    return found


def _plain(text: str) -> str:
    return text.strip().rstrip(".").rstrip()
