"""How worn the memory card is: eMMC and some SD cards keep count; of the others it is known how much was written."""

from dataclasses import dataclass
from pathlib import Path

from appliance.device.reading import integer, matching, words

_SECTOR = 512  # bytes, in the kernel's statistics whatever the card's own sectors are
_SECTORS_WRITTEN = 6  # the seventh figure of a block device's statistics
_SPARE_NORMAL = 1  # of the spare blocks most are left; 2 is a warning, 3 urgent


@dataclass(frozen=True, slots=True)
class Card:
    """The most worn card of the machine: `used` percent of its life at most, `worn_out` where it says that it is.

    `written` is bytes since the machine started. None is what a card does not tell; a machine without one has nothing.
    """

    used: int | None = None
    worn_out: bool | None = None
    written: int | None = None


def card(root: Path = Path("/")) -> Card:
    """Return how worn the machine's cards are."""
    blocks = [one for one in matching(root, "sys/block/mmcblk*") if one.name.removeprefix("mmcblk").isdecimal()]
    used = [tenths * 10 for one in blocks for tenths in _tenths(one)]
    spare = [value for one in blocks for value in _hexadecimal(one / "device/pre_eol_info", range(1, 4))]
    written = [sectors * _SECTOR for one in blocks for sectors in _sectors(one)]
    told = bool(used or spare)
    return Card(
        used=min(max(used), 100) if used else None,
        worn_out=max(spare, default=0) > _SPARE_NORMAL or max(used, default=0) > 100 if told else None,
        written=sum(written) if written else None,
    )


def _tenths(block: Path) -> list[int]:
    """Return the tenths of its life that each part of the card has used; 11 is more than all."""
    return _hexadecimal(block / "device/life_time", range(1, 12))


def _hexadecimal(path: Path, known: range) -> list[int]:
    values = (integer(word, 16) for word in words(path))
    return [value for value in values if value is not None and value in known]


def _sectors(block: Path) -> list[int]:
    value = integer(([*words(block / "stat"), *[""] * 7])[_SECTORS_WRITTEN])
    return [value] if value is not None and value >= 0 else []
