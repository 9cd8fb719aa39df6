"""The ladder that describing steps down where memory runs out: when a rung lower, when back, when an item fails.

- Where memory runs out while a model is loaded, no item is to blame: a rung lower at once.
- While an item is described, it may be that item alone. Only when memory has run out on another one as well, and that
  other has not been described since, it is the box: a rung lower, with the same item, and lower still until it is
  described. Where no rung helps, it was the item after all: that one fails, and the box goes back up.
- A model that has described something fits this box. It is not given up for an item's sake, only where it cannot be
  loaded any more.

All of it is plain arithmetic on what is remembered; `work.stepping` keeps that in the library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the box stands: the `rung` in force, 0 at the top, and the `safe` one that it would go back to.

    `suspect` is the item on which memory ran out last and that was not described since; `proven` is whether the model
    of this rung has described anything.
    """

    rung: int = 0
    safe: int = 0
    suspect: int | None = None
    proven: bool = False


class Verdict(Enum):
    """What becomes of the item on which memory ran out."""

    AGAIN = auto()  # something else is tried with it, which costs it no attempt
    FAILED = auto()  # an attempt failed, as any may
    HOPELESS = auto()  # nothing helped: it has failed for good


def ran_out(
    standing: Standing, item: int, models: Sequence[str | None], *, at: int, loading: bool
) -> tuple[Standing, Verdict]:
    """Return where the box stands after memory ran out on `item`, and what becomes of that.

    `models` are the rungs' models from the top, `at` is the rung that was tried, `loading` whether the model was being
    loaded still.
    """
    if at != standing.rung:  # another thread has stepped meanwhile
        return standing, Verdict.AGAIN
    descending = standing.rung > standing.safe
    to_blame = not loading and not descending and standing.suspect in {None, item}
    if standing.rung < _lowest(standing, models, loading=loading) and not to_blame:
        return _lower(standing, item, models, loading=loading and not descending), Verdict.AGAIN
    if descending:
        proven = standing.proven and models[standing.safe] == models[standing.rung]
        return Standing(standing.safe, standing.safe, proven=proven), Verdict.HOPELESS
    return (standing if loading else replace(standing, suspect=item)), Verdict.FAILED


def described(standing: Standing, item: int, *, at: int) -> Standing:
    """Return where the box stands after `item` was described on the rung `at`."""
    if at != standing.rung:
        return standing
    if item == standing.suspect:  # if a step was made for its sake, it has helped
        return Standing(standing.rung, standing.rung, proven=True)
    return standing if standing.proven else replace(standing, proven=True)


def _lowest(standing: Standing, models: Sequence[str | None], *, loading: bool) -> int:
    if loading or not standing.proven:
        return len(models) - 1
    return max(rung for rung, model in enumerate(models) if model == models[standing.rung])


def _lower(standing: Standing, item: int, models: Sequence[str | None], *, loading: bool) -> Standing:
    rung = standing.rung + 1
    proven = standing.proven and models[rung] == models[standing.rung]
    if loading:  # the rung above is of no use to anybody
        return Standing(rung, rung, proven=proven)
    return Standing(rung, standing.safe, item, proven)
