"""Write files so that a power cut leaves the old one or the new one, and hash and measure them."""

import ctypes
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.errors import StorageFullError

# Called with a stage's name, what is done of it and how much there is: bytes, or steps while checking.
Progress = Callable[[str, int, int], None]

_HERE, _EXCHANGE = -100, 2  # Linux's AT_FDCWD and RENAME_EXCHANGE
_MARGIN = 256 << 20  # left free for the library's own database and uploads


def quiet(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def facts(path: Path) -> dict[str, int | str]:
    """Return what a manifest records of a file: `{"bytes", "sha256"}`."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def sync(path: Path) -> None:
    """Make sure that a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Replace the file's content in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; return whether this system and file system can do that."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def give_memory_back() -> None:
    """Hand memory that was freed back to the system; the C library keeps much of it for later, which never comes."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        pass  # another C library than GNU's


def require_space(folder: Path, needed: int) -> None:
    """Raise StorageFullError where the disk that holds `folder` has not `needed` bytes, and some to spare."""
    free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN:
        raise StorageFullError(
            "This needs {needed:.1f} GB free at {folder}, and there are {free:.1f} GB.",
            "Make room on the card or disk, or use a larger one.",
            needed=(needed + _MARGIN) / 1e9,
            folder=folder,
            free=free / 1e9,
        )
