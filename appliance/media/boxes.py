"""The outermost boxes of an ISO file (MP4, MOV, 3GP, HEIC, AVIF), read without decoding anything."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# A film of many hours has an index of a few megabytes.
_MOST_INDEX = 64 << 20
# A day in fragments of a second has two boxes for each.
_MOST_BOXES = 200_000
# Items of a HEIF file that are no picture of their own: put together from others, or text about them.
_NOT_PACKINGS = {b"grid", b"iden", b"iovl", b"tmap", b"mime", b"uri "}


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
    index = _first(path, b"moov")
    # The name of the real codec, kept inside the entry that stands in its place.
    return b"sinf\0\0\0\x0cfrma" in index and (b"encv" in index or b"drmi" in index)


def claims_too_much(path: Path) -> bool:
    """Return whether an index of the film at `path` claims more bytes of pictures or sound than the file has.

    Such an index takes a hundred bytes in the file, and whatever it likes in memory.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for kind, start, end in walk(file, size):
            if kind in {b"moov", b"moof"}:
                file.seek(start)
                index = file.read(min(end - start, _MOST_INDEX))
                if any(claimed > size for claimed in _claims(index)):
                    return True
    return False


def _claims(index: bytes) -> Iterator[int]:
    """Yield how many bytes each list of samples takes at the least: those of one size, and those of a fragment."""
    for found in re.finditer(rb"stsz\0\0\0\0(.{4})(.{4})", index, re.DOTALL):
        yield int.from_bytes(found[1], "big") * int.from_bytes(found[2], "big")
    for found in re.finditer(rb"trun[\0\1].{3}(.{4})", index, re.DOTALL):
        yield int.from_bytes(found[1], "big")


def packings(path: Path) -> set[bytes]:
    """Return how the pictures in the HEIF or AVIF file at `path` are packed: `{b"hvc1"}`; none where nothing says."""
    index = _first(path, b"meta")
    kinds = {found[1] for found in re.finditer(rb"infe[\2\3]...(?:..|....)\0\0([a-z][a-z0-9]{3})", index, re.DOTALL)}
    return kinds - _NOT_PACKINGS


def claimed_pixels(path: Path) -> int:
    """Return how many pixels the largest picture in the HEIF or AVIF file at `path` claims to have."""
    sides = re.findall(rb"ispe\0\0\0\0(.{4})(.{4})", _first(path, b"meta"), re.DOTALL)
    return max((int.from_bytes(width, "big") * int.from_bytes(height, "big") for width, height in sides), default=0)


def _first(path: Path, wanted: bytes) -> bytes:
    """Return the first outermost box of this kind, as far as it is sane; empty where there is none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for kind, start, end in walk(file, size):
            if kind == wanted:
                file.seek(start)
                return file.read(min(end - start, _MOST_INDEX))
    return b""
