"""How much memory the machine has."""

from pathlib import Path

from appliance.device.reading import integer, words


def total(root: Path = Path("/")) -> int | None:
    """Return the machine's memory in bytes, None where that cannot be read."""
    return _line(root, "MemTotal:")


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
