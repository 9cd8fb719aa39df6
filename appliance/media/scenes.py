"""Which moments of a video are worth describing: those where the picture changes, spread over its length."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
# Differences are in grey levels, 0 to 255, over the most different twentieth of a 32 x 32 copy: a small thing that
# moves counts, noise and compression do not.
CUT = 24.0
SAME = 16.0
_MOST_DIFFERENT = SIDE * SIDE // 20
_BLACK_MEAN, _BLACK_MOST = 20, 52
# How much being far apart in time weighs against looking different: the whole length counts as this many grey levels.
_SPREAD = 60.0

Thumb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture `at` seconds into a video, and its 32 x 32 RGB copy."""

    at: float
    picture: Image.Image
    thumb: Thumb


def difference(one: Thumb, other: Thumb) -> float:
    """Return how different two thumbs are, in grey levels."""
    change = np.abs(one.astype(np.int16) - other.astype(np.int16)).max(axis=2).ravel()
    return float(np.partition(change, -_MOST_DIFFERENT)[-_MOST_DIFFERENT:].mean())


def nearly_black(thumb: Thumb) -> bool:
    """Return whether there is nothing to see; a dark scene with a lamp in it is not black."""
    grey = thumb.max(axis=2)
    return bool(grey.mean() < _BLACK_MEAN and grey.max() < _BLACK_MOST)


def thinned(moments: list[Moment], most: int) -> list[Moment]:
    """Return at most `most` of `moments`: those most like the one before them go first; the first one stays."""
    kept = list(moments)
    changes = [float("inf"), *(difference(one.thumb, two.thumb) for one, two in pairwise(kept))]
    while len(kept) > most:
        least = min(range(1, len(kept)), key=changes.__getitem__)
        del kept[least], changes[least]
        if least < len(kept):
            changes[least] = difference(kept[least - 1].thumb, kept[least].thumb)
    return kept


def chosen(moments: Sequence[Moment], count: int) -> list[Moment]:
    """Return up to `count` of `moments`, in order of time: the first of each scene, then what else differs, spread.

    Moments that look the same as one already taken in their scene are left out, so a still video gives one. Nearly
    black ones are left out unless all are.
    """
    seen = [moment for moment in moments if not nearly_black(moment.thumb)] or list(moments)
    if not seen or count < 1:
        return []
    cuts = [two for one, two in pairwise(seen) if difference(one.thumb, two.thumb) >= CUT]
    firsts = [seen[0], *cuts]
    taken = _farthest(firsts, [firsts[0]], count, at_least=0.0)
    taken = _farthest(seen, taken, count, at_least=SAME)
    return sorted(taken, key=lambda moment: moment.at)


def _farthest(moments: Sequence[Moment], taken: list[Moment], count: int, at_least: float) -> list[Moment]:
    """Add to `taken`, one by one, the moment that is farthest from all taken in looks and in time."""
    length = max(moments[-1].at - moments[0].at, 1e-9)
    taken = list(taken)
    left = [moment for moment in moments if all(moment is not one for one in taken)]

    def distance(one: Moment, other: Moment) -> float:
        return difference(one.thumb, other.thumb) + _SPREAD * abs(one.at - other.at) / length

    nearest = [min(distance(moment, one) for one in taken) for moment in left]
    while left and len(taken) < count:
        best = max(range(len(left)), key=nearest.__getitem__)
        moment = left.pop(best)
        del nearest[best]
        before = max((one for one in taken if one.at <= moment.at), key=lambda one: one.at, default=taken[0])
        if at_least and difference(moment.thumb, before.thumb) < at_least:
            continue
        taken.append(moment)
        nearest = [min(old, distance(other, moment)) for old, other in zip(nearest, left, strict=True)]
    return taken
