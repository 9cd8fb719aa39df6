"""Photos: opened safely, decoded at the size that is needed, turned upright, as plain sRGB."""

import errno
import functools
import math
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pillow_heif
from PIL import Image

from appliance.errors import MediaError, MediaTooLargeError, UnsupportedMediaError
from appliance.media import stills
from appliance.media.boxes import claimed_pixels, packings
from appliance.media.colour import eight_bit, rgb
from appliance.media.formats import AVIF, HEAD_BYTES, HEIC, HEIF, JPEG, WEBP, sniff, unsupported
from appliance.media.metadata import orientation
from appliance.media.truncation import cut_off, damaged, ends_early
from appliance.records import Format, Kind
from appliance.sentences import say

# A 200-megapixel phone is the largest camera that families own. Only JPEGs can be decoded smaller than they are.
MAX_PIXELS = 200_000_000
MAX_DECODED_PIXELS = 100_000_000
# What decoding may take at its height, which a small Pi just has, and what one pixel takes: most kinds 4 to 8 bytes.
_DECODED_BYTES = 8 * MAX_DECODED_PIXELS
_BYTES_OF_WEBP = 16  # two canvases, a copy and the picture
_BYTES_OF_DEEP = 20  # 32-bit grey is scaled by way of floats
_BYTES_OF_INK = 12  # CMYK: the coefficients of a progressive JPEG, the picture, and its inverse
# Some decoders take the whole file into memory; a TIFF of 100 megapixels with 16 bits a colour has 600 MB.
MAX_BYTES = 1 << 30

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow's and libheif's parsers raise on bytes that make no sense; they promise no common base.
PARSER_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
_UNPACKED = {b"hvc1", b"hev1"}  # what libheif is built to unpack here
_SMALLER = say("Send a smaller copy; phones and photo programs can save one.")
_PILLOW_LIMIT = threading.Lock()


def load(path: Path, size: int) -> Image.Image:
    """Return the photo at `path` upright, as RGB without metadata, its shorter side at least `size` where it can.

    The shorter side is at most about four times `size`. Transparent parts are white; of an animation the first frame is
    shown. Raises UnsupportedMediaError, DamagedMediaError or MediaTooLargeError.
    """
    with opened(path) as (image, format):
        # Twice, so that the caller's own, better filter does the last step down.
        return _decoded(image, format, 2 * size / max(1, min(image.size)))


def thumbnails(path: Path, folder: Path) -> None:
    """Write `small.webp` and `large.webp` (see `stills`) of the photo at `path` into `folder`, decoding it once.

    Raises the errors of `load`, and StorageFullError where the disk is full.
    """
    with opened(path) as (image, format):
        picture = _decoded(image, format, stills.LARGE / max(1, *image.size))
    stills.write_pair(picture, folder)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Image.Image, Format]]:
    """Open the photo at `path`, its pixels not yet decoded, and translate what goes wrong until it is closed again.

    Raises UnsupportedMediaError, DamagedMediaError or MediaTooLargeError; other errors of the body pass through unless
    they are of the kinds that decoders raise.
    """
    with path.open("rb") as file:
        format = sniff(file.read(HEAD_BYTES))
    if format.kind is not Kind.PHOTO:
        raise unsupported(say("a video ({name})", name=format.name))
    if path.stat().st_size > MAX_BYTES:
        raise MediaTooLargeError("This photo's file is larger than the 1 GB that this box can take.", _SMALLER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of every oddity that it can live with
        try:
            with _open(path, format) as image:
                _check(image.size, MAX_PIXELS if format is JPEG else _most_pixels(image, format))
                yield image, format
        except (Image.DecompressionBombError, MemoryError) as error:
            raise MediaTooLargeError("This photo is larger than this box can take.", _SMALLER) from error
        except PARSER_ERRORS as error:
            raise _told(error, path, format) from error


def _open(path: Path, format: Format) -> Image.Image:
    names: tuple[str, ...] = (format.name.upper(),)
    if format in {HEIC, HEIF}:
        _register_heif()
        names = ("HEIF",)
    # Pillow's own limit is a module variable, and lower than ours: it is lifted for as long as the header is read.
    with _PILLOW_LIMIT:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        try:
            # The one format that the content says, so that no other parser ever sees the file.
            return Image.open(path, formats=names)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@functools.cache
def _register_heif() -> None:
    # Embedded thumbnails are left alone: an edited photo may still carry that of its first version.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _decoded(image: Image.Image, format: Format, scale: float) -> Image.Image:
    """Return `image` as upright RGB, both sides at least `scale` times what they are in the file."""
    wanted = [math.ceil(side * min(1.0, scale)) for side in image.size]
    # A progressive JPEG is held as a whole even where it is decoded small.
    if format is JPEG and not image.info.get("progressive"):
        image.draft(None, (wanted[0], wanted[1]))
    _check(image.size, _most_pixels(image, format))
    image.load()
    plain = eight_bit(image)
    factor = min(plain.size) // max(1, min(wanted))
    if factor > 1:
        profile = plain.info.get("icc_profile")
        plain = plain.reduce(factor)
        plain.info["icc_profile"] = profile
    turn = _TURNS.get(orientation(image))
    return rgb(plain.transpose(turn) if turn is not None else plain)


def _most_pixels(image: Image.Image, format: Format) -> int:
    """Return how many pixels of a picture of this kind may be decoded."""
    if format is WEBP:
        return min(MAX_DECODED_PIXELS, _DECODED_BYTES // _BYTES_OF_WEBP)
    if image.mode in {"I", "F"}:
        return min(MAX_DECODED_PIXELS, _DECODED_BYTES // _BYTES_OF_DEEP)
    if image.mode == "CMYK":
        return min(MAX_DECODED_PIXELS, _DECODED_BYTES // _BYTES_OF_INK)
    return MAX_DECODED_PIXELS


def _check(size: tuple[int, int], limit: int) -> None:
    if size[0] * size[1] > limit:
        megapixels = f"{math.ceil(size[0] * size[1] / 1e6):,} megapixels"
        raise MediaTooLargeError(
            "This photo has {megapixels}; this box can take {limit:.0f}.",
            _SMALLER,
            megapixels=megapixels,
            limit=limit / 1e6,
        )


def _told(error: Exception, path: Path, format: Format) -> MediaError:
    """Return what to tell about a decoder's `error`; raises it again where the disk is to blame, not the file."""
    if isinstance(error, OSError) and error.errno == errno.EIO:
        raise error
    words = str(error).lower()
    if any(limit in words for limit in ("security limit", "out of memory", "memory allocation")):
        return MediaTooLargeError("This photo is larger than this box can take.", _SMALLER)
    if format in {HEIC, HEIF, AVIF} and claimed_pixels(path) > MAX_PIXELS:
        return MediaTooLargeError("This photo is larger than this box can take.", _SMALLER)
    if format in {HEIC, HEIF} and ("unsupported" in words or not packings(path) <= _UNPACKED):
        return UnsupportedMediaError(
            "This HEIF picture is packed in a way that Shoebox cannot unpack yet.", "Send it as JPEG."
        )
    # Pillow says "truncated" also where lengths inside the file lead past its end.
    return cut_off() if ends_early(path, format) or "truncated" in words else damaged()
