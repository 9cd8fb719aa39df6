"""Which release of Shoebox is in use on a box that setup has installed it on, and which are kept to go back to."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

_FOLDER = "opt/shoebox"
# Looked up at once: the way there leads through `current`, and to another release after an update.
_OWN = Path(sys.prefix).resolve().name


@dataclass(frozen=True, slots=True)
class Releases:
    """`current` is what the next start takes, `own` what this process is of ("" for none), `kept` the others."""

    current: str
    own: str
    kept: tuple[str, ...]


def releases(root: Path = Path("/")) -> Releases | None:
    """Return the releases, None where Shoebox was not installed by setup."""
    folder = root / _FOLDER
    try:
        current = Path(os.readlink(folder / "current")).name
        there = sorted(one.name for one in (folder / "releases").iterdir() if one.is_dir())
    except OSError:
        return None
    return Releases(current, _OWN if _OWN in there else "", tuple(one for one in there if one != current))
