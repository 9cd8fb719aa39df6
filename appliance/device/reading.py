"""Small files that the kernel makes up when they are read; what they say is checked, not trusted."""

from pathlib import Path

_MOST = 4096  # bytes; the kernel's own limit for a file in /sys


def words(path: Path, most: int = _MOST) -> list[str]:
    """Return the words in the first `most` bytes of the file at `path`, none where it cannot be read or is no text."""
    try:
        with path.open("rb") as file:
            return file.read(most).decode("ascii").replace("\0", " ").split()
    except (OSError, ValueError):  # gone, not for us, a sensor that is asleep; or not ASCII
        return []


def number(path: Path) -> int | None:
    """Return the first word of the file at `path` as a whole number, None where it is none."""
    found = words(path)
    return integer(found[0]) if found else None


def integer(word: str, base: int = 10) -> int | None:
    """Return a word as a whole number, None where it is none."""
    try:
        return int(word, base)
    except ValueError:
        return None


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return what in `folder` is called so, in order; none where it cannot be listed."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
