"""Whole files of every supported format, and what accidents and enemies make of them: each mutation by its seed."""

import random
import zlib
from collections.abc import Callable, Mapping, Sequence

from PIL import Image

import bad_files

_LIKELY = (0, 1, 0x7F, 0x80, 0xFF)
_LENGTHS = (0, 1, 7, 8, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


def whole_files() -> dict[str, bytes]:
    """Return a small whole file of every format that can be described, by the name of the format."""
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Apple", "iPhone 15", 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:03 14:20:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 13.5), 3: "E", 4: (11.0, 34.0, 31.5)})
    turned = Image.new("RGB", (64, 48), (20, 20, 200))
    profile = bad_files.profile(4096)
    moving = {"save_all": True, "append_images": [turned], "duration": 100}
    return {
        "JPEG": bad_files.saved("JPEG", exif=exif, icc_profile=profile),
        "JPEG progressive": bad_files.saved("JPEG", progressive=True),
        "PNG": bad_files.saved("PNG", exif=exif, icc_profile=profile),
        "WebP": bad_files.saved("WEBP", exif=exif),
        "WebP moving": bad_files.saved("WEBP", lossless=True, **moving),
        "GIF": bad_files.saved("GIF", **moving),
        "TIFF": bad_files.saved("TIFF"),
        "TIFF packed": bad_files.saved("TIFF", compression="tiff_lzw"),
        "BMP": bad_files.saved("BMP"),
        "AVIF": bad_files.saved("AVIF", exif=exif),
        "HEIC": bad_files.saved("HEIF", exif=exif.tobytes()),
        "MP4 H.264": bad_files.film("mp4", "libx264"),
        "MP4 fragments": bad_files.film("mp4", "libx264", movflags="frag_keyframe+empty_moov"),
        "MOV HEVC": bad_files.film("mov", "libx265"),
        "WebM VP9": bad_files.film("webm", "libvpx-vp9"),
        "MKV AV1": bad_files.film("matroska", "libsvtav1"),
        "MKV H.264": bad_files.film("matroska", "libx264"),
        "AVI MPEG-4": bad_files.film("avi", "mpeg4"),
        "3GP MPEG-4": bad_files.film("3gp", "mpeg4"),
    }


def mutated(data: bytes, seed: int, others: Sequence[bytes] = ()) -> bytes:
    """Return `data` after one to four mutations that `seed` chooses; with `others`, parts of those may come into it."""
    rng = random.Random(seed)
    changed = bytearray(data)
    ways = [*_WAYS, _spliced(others)] if others else list(_WAYS)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if len(changed) > 16:
            rng.choice(ways)(changed, rng)
    if rng.random() < 0.5:
        _sealed(changed)
    return bytes(changed)


def name_of(form: str, seed: int) -> str:
    """Return a file name that tells how to make the file again."""
    return f"{form.replace(' ', '-')}-{seed}"


def _place(changed: bytearray, rng: random.Random) -> int:
    """Return a place to change: headers matter most, so half of them lie there."""
    return rng.randrange(min(len(changed), 300) if rng.random() < 0.5 else len(changed))


def _bits(changed: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 12)):
        changed[_place(changed, rng)] ^= 1 << rng.randrange(8)


def _bytes(changed: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 12)):
        changed[_place(changed, rng)] = rng.choice((*_LIKELY, rng.randrange(256)))


def _cut(changed: bytearray, rng: random.Random) -> None:
    del changed[rng.randrange(8, len(changed)) :]


def _taken_out(changed: bytearray, rng: random.Random) -> None:
    at = _place(changed, rng)
    del changed[at : at + rng.choice((1, 2, 4, 64, 1024))]


def _swapped(changed: bytearray, rng: random.Random) -> None:
    length = min(rng.choice((4, 16, 256, 1024)), len(changed) // 2)
    one, two = rng.randrange(len(changed) - length), rng.randrange(len(changed) - length)
    changed[one : one + length], changed[two : two + length] = (
        changed[two : two + length],
        changed[one : one + length],
    )


def _doubled(changed: bytearray, rng: random.Random) -> None:
    at = _place(changed, rng)
    changed[at:at] = changed[at : at + rng.choice((4, 32, 512))] * rng.choice((1, 2, 50))


def _length(changed: bytearray, rng: random.Random) -> None:
    """Change what may be a length: two or four bytes that are a number no larger than the file."""
    size, order = rng.choice((2, 4)), rng.choice(("big", "little"))
    for _ in range(100):
        at = _place(changed, rng)
        now = int.from_bytes(changed[at : at + size], order)
        if 0 < now <= len(changed) and at + size <= len(changed):
            new = rng.choice((*_LENGTHS, now - 1, now + 1, 2 * now, len(changed)))
            changed[at : at + size] = (new & ((1 << 8 * size) - 1)).to_bytes(size, order)
            return


def _sealed(changed: bytearray) -> None:
    """Make the checksums of a PNG's chunks right again: with wrong ones, nothing behind them is ever looked at."""
    at = 8
    while changed.startswith(bad_files.PNG_START) and at + 12 <= len(changed):
        end = at + 8 + int.from_bytes(changed[at : at + 4], "big")
        if end + 4 > len(changed):
            return
        changed[end : end + 4] = zlib.crc32(changed[at + 4 : end]).to_bytes(4, "big")
        at = end + 4


def _spliced(others: Sequence[bytes]) -> Callable[[bytearray, random.Random], None]:
    def splice(changed: bytearray, rng: random.Random) -> None:
        other = rng.choice(others)
        start = rng.randrange(len(other))
        part = other[start : start + rng.choice((16, 256, len(other)))]
        at = rng.randrange(8, len(changed))
        if rng.random() < 0.5:
            changed[at:] = part
        else:
            changed[at : at + len(part)] = part

    return splice


_WAYS = (_bits, _bytes, _cut, _taken_out, _swapped, _doubled, _length, _length)


def sample(files: Mapping[str, bytes], form: str, seed: int) -> bytes:
    """Return the mutation `seed` of the file `form`, with parts of all the others."""
    return mutated(files[form], seed, [data for name, data in files.items() if name != form])
