"""Charts as the server draws them: columns in a box of WIDTH by HEIGHT, which the page's template puts into SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 96
_GAP = 0.3  # of a column's place


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where it stands, and what it says in words."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: str


def columns(values: Sequence[tuple[str, float, str]]) -> list[Column]:
    """Return a column for each label, value and value in words; the largest value reaches to the top."""
    most = max((value for _, value, _ in values), default=0.0)
    place = WIDTH / max(len(values), 1)
    drawn = []
    for number, (label, value, words) in enumerate(values):
        # What there is little of is still to be seen.
        height = max(HEIGHT * value / most, 2.0) if value > 0 else 0.0
        x = place * (number + _GAP / 2)
        drawn.append(
            Column(round(x, 1), round(HEIGHT - height, 1), round(place * (1 - _GAP), 1), round(height, 1), label, words)
        )
    return drawn


def line(values: Sequence[tuple[float, float]], least: float, most: float) -> str:
    """Return the points of a line through (place from 0 to 1, value), for an SVG polyline; `least` is at the bottom."""
    room = max(most - least, 1e-9)
    return " ".join(f"{WIDTH * x:.1f},{HEIGHT * (1 - (value - least) / room):.1f}" for x, value in values)
