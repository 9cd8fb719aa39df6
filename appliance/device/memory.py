"""How much memory the machine has, and how often it ran out."""

from pathlib import Path

from appliance.device import cgroup
from appliance.device.reading import integer, words

_VMSTAT = 1 << 16  # bytes; a few hundred lines
_GUARD = 0.85  # of the machine's memory: a limit from there on keeps the rest alive, and is no share


def total(root: Path = Path("/")) -> int | None:
    """Return the machine's memory in bytes, None where that cannot be read."""
    return _line(root, "MemTotal:")


def usable(root: Path = Path("/")) -> int | None:
    """Return the bytes that Shoebox may use: the machine's, or less in a container or service that is limited."""
    whole, limit = total(root), cgroup.memory(root)
    if whole is None or limit is None:
        return whole if limit is None else limit
    return limit if limit < whole * _GUARD else whole


def kills(root: Path = Path("/")) -> int | None:
    """Return how many processes the kernel has ended for want of memory since it started, None where it hides that."""
    found = words(root / "proc/vmstat", _VMSTAT)
    return integer(found[found.index("oom_kill") + 1]) if "oom_kill" in found[:-1] else None


def available(root: Path = Path("/")) -> int | None:
    """Return the bytes that programs can still be given without swapping, None where that cannot be read."""
    return _line(root, "MemAvailable:")


def _line(root: Path, name: str) -> int | None:
    found = words(root / "proc/meminfo")
    if name not in found[:-2]:
        return None
    value, unit = found[found.index(name) + 1 :][:2]
    number = integer(value)
    return number * 1024 if number is not None and number >= 0 and unit == "kB" else None
