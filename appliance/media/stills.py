"""Thumbnails on disk: small WebP files without metadata, each written whole or not at all."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from PIL import Image

from appliance.errors import LibraryError, StorageError, StorageFullError

SMALL_HEIGHT = 320
SMALL_WIDTH = 4 * SMALL_HEIGHT
LARGE = 1600
_QUALITY = 80


def write_pair(picture: Image.Image, folder: Path) -> None:
    """Write `small.webp`, at most 320 pixels high and 1280 wide, and `large.webp`, at most 1600 on its longer side.

    `picture` is RGB; neither is ever larger than it. Raises StorageFullError where there is no room.
    """
    large = fitted(picture, LARGE, LARGE)
    write(large, folder, "large.webp")
    write_small(large, folder, "small.webp")


def write_small(picture: Image.Image, folder: Path, name: str) -> None:
    """Write `picture`, at most 320 pixels high and 1280 wide, as `name` into `folder`."""
    write(fitted(picture, SMALL_WIDTH, SMALL_HEIGHT), folder, name)


def fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return `picture` scaled down, never up, to fit into `width` x `height` pixels."""
    scale = min(1.0, width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def write(picture: Image.Image, folder: Path, name: str) -> None:
    """Write `picture` as the WebP file `name` into `folder`, which is made where it is missing.

    Raises StorageFullError where there is no room, StorageError where the disk has turned
    read-only, LibraryError where it gives errors.
    """
    temporary = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f".{name}.*.part"):  # by an attempt that was killed
            left.unlink(missing_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            picture.save(file, "WEBP", quality=_QUALITY, method=4)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name with nothing in it
            os.fchmod(file.fileno(), 0o644)
        os.replace(temporary, folder / name)
    except OSError as error:
        if temporary:
            with suppress(OSError):  # on a disk that has turned read-only it stays, and is swept later
                Path(temporary).unlink(missing_ok=True)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFullError(
                "There is no room left to keep a preview picture.", "Remove something or empty the trash."
            ) from error
        if error.errno == errno.EROFS:
            raise StorageError("The data folder cannot be written to.", "Check the card or disk.") from error
        if error.errno == errno.EIO:
            raise LibraryError("A preview picture cannot be written.", "Check the card or disk.") from error
        raise
