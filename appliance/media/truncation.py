"""Whether a file ends before its own bookkeeping says that it should: what a lost connection leaves behind."""

from pathlib import Path
from typing import BinaryIO

from appliance.errors import DamagedMediaError
from appliance.media.boxes import walk
from appliance.media.formats import AVI, AVIF, GIF, HEIC, HEIF, JPEG, M4V, MKV, MOV, MP4, PNG, THREE_GP, WEBM, WEBP
from appliance.records import Format, Kind

_BOXED = {MP4, M4V, MOV, THREE_GP, HEIC, HEIF, AVIF}
# Only these are trusted to give a true size: what some phones append after the last box is not a box at all.
_KNOWN_BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"meta", b"wide", b"free", b"skip", b"uuid", b"sidx"}
_SEGMENT = b"\x18\x53\x80\x67"


def cut_off() -> DamagedMediaError:
    """Return the error for a file that ends too early."""
    return DamagedMediaError(
        "This file ends too early, probably cut off while it was sent.", "Send it again from the phone."
    )


def damaged() -> DamagedMediaError:
    """Return the error for a file whose inside makes no sense."""
    return DamagedMediaError(
        "This file is damaged and cannot be read.",
        "Check whether it opens on the phone; if it does, send it again from there.",
    )


def ends_early(path: Path, format: Format) -> bool:
    """Return whether the file at `path` is shorter than it says; false where its format does not tell (TIFF, BMP)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if format in _BOXED:
            return _boxes_end_early(file, size, video=format.kind is Kind.VIDEO)
        if format in {AVI, WEBP}:
            file.seek(4)
            # A camera that lost its battery leaves a zero or a one here; that says nothing.
            return int.from_bytes(file.read(4), "little") + 8 > max(size, 9)
        if format in {MKV, WEBM}:
            return _segment_ends_early(file, size)
        # What apps append after the end (motion photos, trailers) can be long: look for the end mark anywhere late.
        file.seek(max(0, size - (1 << 20)))
        tail = file.read()
    if format is JPEG:
        return b"\xff\xd9" not in tail
    if format is PNG:
        return b"IEND" not in tail
    return format is GIF and b"\x3b" not in tail[-64:]


def _boxes_end_early(file: BinaryIO, size: int, *, video: bool) -> bool:
    """Return whether a box is cut, or a video lacks its `moov`: phones write that last, so it was never finished."""
    indexed = not video
    for kind, _, end in walk(file, size):
        if end > size:
            return kind in _KNOWN_BOXES or not indexed
        indexed = indexed or kind in {b"moov", b"moof"}
    return not indexed


def _segment_ends_early(file: BinaryIO, size: int) -> bool:
    """Read the length of a Matroska file's segment, which is the whole file after a short header."""
    head = file.read(4096)
    at = head.find(_SEGMENT)
    if at < 0:
        return size < 64
    at += len(_SEGMENT)
    if at >= len(head) or head[at] == 0:
        return at >= size
    length_bytes = 9 - head[at].bit_length()
    unknown = (1 << (7 * length_bytes)) - 1
    length = int.from_bytes(head[at : at + length_bytes], "big") & unknown
    return length != unknown and at + length_bytes + length > size
