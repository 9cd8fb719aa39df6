"""The ladder that describing steps down where memory runs out: when a rung lower, when back, when an item fails.

- Where memory runs out while a model is loaded, no item is to blame: a rung lower at once.
- A model that has described something fits this box. Where memory runs out on one item then, that item is to blame, and
  fails as it would for any reason. Only where it has run out on two is the box to blame: a rung lower, with the second
  item, and lower still until that is described. The model is kept: where no rung of its helps, it was the item after
  all, which fails for good, and the box goes back up.
- Where nothing was described yet, the first item will do to go lower with the same model, and a second for another.

All of it is plain arithmetic on what is remembered; `work.stepping` keeps that in the library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the box stands: the `rung` in force, 0 at the top, and the `safe` one that it would go back to.

    `suspects` are the items, two at most, on which memory ran out and that were not described since. `proven` is
    whether the model of this rung has described anything.
    """

    rung: int = 0
    safe: int = 0
    suspects: tuple[int, ...] = ()
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
    suspects = standing.suspects if loading else (*(one for one in standing.suspects if one != item), item)[-2:]
    several = len(suspects) > 1
    if loading or (several and not standing.proven):
        lowest = len(models) - 1
    else:
        lowest = max(rung for rung, model in enumerate(models) if model == models[standing.rung])
    if standing.rung < lowest and (loading or descending or several or not standing.proven):
        rung = standing.rung + 1
        # A rung that cannot be loaded is of no use to anybody.
        safe = rung if loading and not descending else standing.safe
        proven = standing.proven and models[rung] == models[standing.rung]
        return Standing(rung, safe, suspects, proven), Verdict.AGAIN
    if not descending:
        return replace(standing, suspects=suspects), Verdict.FAILED
    proven = standing.proven and models[standing.safe] == models[standing.rung]
    if not proven:
        return Standing(standing.safe, standing.safe, suspects), Verdict.FAILED
    others = tuple(one for one in suspects if one != item)
    return Standing(standing.safe, standing.safe, others, proven=True), Verdict.HOPELESS


def described(standing: Standing, item: int, *, at: int) -> Standing:
    """Return where the box stands after `item` was described on the rung `at`."""
    if at != standing.rung:
        return standing
    if item not in standing.suspects:
        return replace(standing, proven=True)
    if standing.rung > standing.safe:  # the steps that were made for its sake have helped
        return Standing(standing.rung, standing.rung, proven=True)
    return replace(standing, suspects=tuple(one for one in standing.suspects if one != item), proven=True)
