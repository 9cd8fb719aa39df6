"""The outermost boxes of an ISO file (MP4, MOV, 3GP, HEIC, AVIF), read without decoding anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# A film of many hours has an index of a few megabytes.
_MOST_INDEX = 64 << 20
# A day in fragments of a second has two boxes for each.
_MOST_BOXES = 200_000


def walk(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each outermost box's kind, start and end, up to one that reaches the file's `size` or beyond it."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > size:
            return
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:  # "to the end of the file"
            length = size - at
        if length < 8:
            return
        yield header[4:8], at, at + length
        at += length


def protected(path: Path) -> bool:
    """Return whether the film in the file at `path` is encrypted, as shops do it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for kind, start, end in walk(file, size):
            if kind == b"moov":
                file.seek(start)
                index = file.read(min(end - start, _MOST_INDEX))
                # The name of the real codec, kept inside the entry that stands in its place.
                return b"sinf\0\0\0\x0cfrma" in index and (b"encv" in index or b"drmi" in index)
    return False
