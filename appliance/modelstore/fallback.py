"""Which variant of a model stands in for one that describes otherwise than its original."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from appliance.errors import DisagreementError
from appliance.modelstore import manifest
from appliance.sentences import Sentence, say

# Each is nearer to the original than the one before it.
_ON_PROCESSOR = ("int4", "int8", "mixed", "float")
_ON_GPU = ("fp16", "float")

Built = TypeVar("Built")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A variant that was built and not kept, and the reason in words."""

    variant: str
    reason: str


def in_turn(variant: str) -> list[str]:
    """Return the variants to try: the wanted one, then those that are nearer and nearer to the original."""
    for row in (_ON_PROCESSOR, _ON_GPU):
        if variant in row:
            return [one for one in row[row.index(variant) :] if one in manifest.VARIANTS]
    return [variant]


def first_good(variant: str, build: Callable[[str, Sequence[Refusal]], Built]) -> Built:
    """Let `build` make one variant after the other until one is like its original, and return what it returns.

    `build` gets the variant and those refused before it. Raises DisagreementError where even the last is refused.
    """
    refused: list[Refusal] = []
    for one in in_turn(variant):
        try:
            return build(one, tuple(refused))
        except DisagreementError as error:
            refused.append(Refusal(one, error.message))
            last = error
    raise last


def stands_in(folder: Path, variant: str) -> bool:
    """Whether the model in `folder` is the wanted variant, or there because that one was refused.

    Raises ModelError where it is no usable model.
    """
    about = manifest.read(folder)
    return variant == about["variant"] or any(one["variant"] == variant for one in about.get("refused", ()))


def told(folder: Path) -> list[str]:
    """Return a sentence for each variant that was refused before the model in `folder` was kept."""
    about = manifest.read(folder)
    return [
        say(
            "The variant {variant} was built and not kept: {reason} {other} takes its place.",
            variant=one["variant"],
            reason=Sentence.read(one["reason"]),
            other=about["variant"],
        )
        for one in about.get("refused", ())
    ]
