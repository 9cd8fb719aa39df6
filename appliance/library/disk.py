"""Whether the data folder can take anything in: it is there, the same as before, writable, has room. Writes nothing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import StorageError, StorageFullError

LEAST_FREE_BYTES = 1 << 20
LEAST_FREE_FILES = 16
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
# The disk's own troubles: it is gone, worn out, or was made read-only by a person or by the kernel.
_UNUSABLE = frozenset(
    (errno.EROFS, errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENODEV, errno.ESTALE)
)

Identity = tuple[int, int]


def identity(data: Path) -> Identity:
    """Return what tells this file or folder from another one in its place."""
    found = data.stat()
    return found.st_dev, found.st_ino


def check(data: Path, known: Identity | None = None) -> None:
    """Raise StorageFullError or StorageError where `data` takes nothing in, or is another folder than `known`."""
    try:
        if known is not None and identity(data) != known:
            raise StorageError(
                "The data folder {data} is not the one that Shoebox was started with.",
                "Put the former card or disk back, or start Shoebox again.",
                data=data,
            )
        disk = os.statvfs(data)
    except OSError as error:
        raise StorageError(
            "The data folder {data} is gone: {strerror}.",
            "Attach its card or disk; Shoebox goes on by itself.",
            data=data,
            strerror=error.strerror,
        ) from error
    if disk.f_flag & os.ST_RDONLY or not os.access(data, os.W_OK) or _given_up(data):
        raise StorageError("The data folder cannot be written to.", "Check the card or disk; it may be wearing out.")
    free_files = disk.f_favail if disk.f_files else LEAST_FREE_FILES  # some file systems do not count them
    if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES or free_files < LEAST_FREE_FILES:
        raise StorageFullError("The card or disk is full.", "Make room; Shoebox then goes on by itself.")


@contextmanager
def usable(data: Path) -> Iterator[None]:
    """Raise StorageFullError or StorageError where the block, which makes what is needed in `data`, cannot."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFullError("The card or disk is full.", "Make room on it.") from error
        raise StorageError(
            "The data folder {data} cannot be used: {strerror}.",
            "Check that the disk is attached and the folder writable.",
            data=data,
            strerror=error.strerror,
        ) from error


@contextmanager
def explained() -> Iterator[None]:
    """Raise StorageFullError or StorageError where the disk keeps the block from storing an upload."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise StorageFullError(
                "This file is larger than the card or disk can hold in one piece.", "Send a smaller file."
            ) from error
        if error.errno in FULL:
            raise StorageFullError(
                "The card or disk is full, so this file was not kept.", "Make room, then send it again."
            ) from error
        if error.errno in _UNUSABLE:
            raise StorageError(
                "The data folder cannot be written to, so this file was not kept ({strerror}).",
                "Check the card or disk, then send it again.",
                strerror=error.strerror,
            ) from error
        raise


def _given_up(data: Path) -> bool:
    """Return whether the kernel writes no more to this disk after an error, which `statvfs` does not tell of ext4."""
    device = data.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no /proc
        return False
    return any(
        fields[2] == number and "emergency_ro" in fields[-1].split(",") for fields in (line.split() for line in mounts)
    )
