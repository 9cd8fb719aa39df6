"""The box's clock: whether it can be trusted, and the household's time zone. A Pi has no battery for its clock."""

import ctypes
import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TIME_ERROR = 5  # what adjtimex returns while no time server has been heard


def synchronised(root: Path = Path("/")) -> bool:
    """Return whether a time server has set the clock since the box started; `root` stands for `/` in tests."""
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    return root == Path("/") and _kernel_says_so()


def _kernel_says_so() -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "adjtimex"):
        return False
    timex = ctypes.create_string_buffer(256)  # struct timex, 208 bytes; all zero only asks
    state: int = library.adjtimex(timex)
    return 0 <= state < _TIME_ERROR


def household_zone(root: Path = Path("/")) -> ZoneInfo:
    """Return the time zone the box was set up with, UTC where none can be read.

    The services run with TZ=UTC, hence the question to `/etc` and not to the C library.
    """
    for name in _zone_names(root / "etc"):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def _zone_names(etc: Path) -> list[str]:
    names = []
    try:
        names.append(os.readlink(etc / "localtime").partition("zoneinfo/")[2])
    except OSError:  # a plain file or none
        pass
    try:
        names.append((etc / "timezone").read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError):
        pass
    return [name for name in names if name]
