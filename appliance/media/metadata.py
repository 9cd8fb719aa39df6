"""When, where and with what a photo or a video was taken, by its EXIF or QuickTime data. Bad data says nothing."""

import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from PIL import ExifTags, Image

# What Pillow's EXIF parser raises on bytes that make no sense, with no common base; bad EXIF never fails a photo.
_EXIF_ERRORS = (
    ArithmeticError, AttributeError, LookupError, MemoryError, NotImplementedError, OSError, SyntaxError, TypeError,
    ValueError, struct.error,
)  # fmt: skip
_Exif = Mapping[int, Any]
_BASE, _GPS = ExifTags.Base, ExifTags.GPS
_DATES = (
    (_BASE.DateTimeOriginal, _BASE.OffsetTimeOriginal),
    (_BASE.DateTimeDigitized, _BASE.OffsetTimeDigitized),
    (_BASE.DateTime, _BASE.OffsetTime),
)
_FIRST_PHOTOGRAPH = 1826
_ISO_6709 = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")
_WORD = re.compile(r"[^\x00-\x1f\x7f]+")


def exif(image: Image.Image) -> tuple[_Exif, _Exif, _Exif]:
    """Return the main, the Exif and the GPS directory of `image`; empty ones where they are missing or damaged."""
    try:
        main = image.getexif()
    except _EXIF_ERRORS:
        return {}, {}, {}
    found: list[_Exif] = [main]
    for name in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        try:
            found.append(main.get_ifd(name))
        except _EXIF_ERRORS:
            found.append({})
    return found[0], found[1], found[2]


def orientation(image: Image.Image) -> int:
    """Return how `image`, as Pillow decodes it, lies: 1 upright, 2 to 8 as in EXIF. Pillow turns TIFFs by itself."""
    if image.format == "TIFF":
        return 1
    value = _get(exif(image)[0], _BASE.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def photo_time(main: _Exif, details: _Exif) -> str | None:
    """Return when a photo was taken, ISO 8601 with the offset from UTC where the camera wrote it, or None."""
    for date_tag, offset_tag in _DATES:
        for directory in (details, main):
            date = _date(_text(_get(directory, date_tag)))
            if date is not None:
                offset = _offset(_text(_get(details, offset_tag)) or _text(_get(main, offset_tag)))
                return date.replace(tzinfo=offset).isoformat()
    return None


def photo_camera(main: _Exif) -> str | None:
    """Return the name of the camera or phone that took a photo."""
    return camera(_get(main, _BASE.Make), _get(main, _BASE.Model))


def camera(make: object, model: object) -> str | None:
    """Return a camera's name from its maker and model, the maker named once: `Apple iPhone 15`, `NIKON Z 6`."""
    maker, name = _text(make), _text(model)
    if not maker or not name:
        return maker or name or None
    # "NIKON CORPORATION" + "NIKON Z 6", "Canon" + "Canon EOS R5", "HUAWEI" + "Huawei P30"
    known = name.casefold().startswith(maker.split()[0].casefold())
    return name if known else f"{maker} {name}"


def place(gps: _Exif) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees (WGS 84) of an EXIF GPS directory, or None."""
    latitude = _degrees(_get(gps, _GPS.GPSLatitude), _get(gps, _GPS.GPSLatitudeRef), "S")
    longitude = _degrees(_get(gps, _GPS.GPSLongitude), _get(gps, _GPS.GPSLongitudeRef), "W")
    return _checked(latitude, longitude)


def video_time(tags: Mapping[str, str]) -> str | None:
    """Return when a video was taken: the local time with offset that Apple writes, else the clock time in UTC."""
    for name in ("com.apple.quicktime.creationdate", "creation_time", "date"):
        text = tags.get(name, "")
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            continue
        # A camera whose clock was never set writes 1904, or 1970, or the year alone.
        if moment.year > 1970 and len(text) > 10:
            return moment.replace(microsecond=0).isoformat()
    return None


def video_camera(tags: Mapping[str, str]) -> str | None:
    """Return the name of the camera or phone that wrote a video's `tags`."""
    for make, model in (
        ("com.apple.quicktime.make", "com.apple.quicktime.model"),
        ("com.android.manufacturer", "com.android.model"),
        ("make", "model"),
    ):
        name = camera(tags.get(make), tags.get(model))
        if name:
            return name
    return None


def video_place(tags: Mapping[str, str]) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees from ISO 6709 text, `+48.1371+011.5754+519/`, in a video's `tags`."""
    for name in ("com.apple.quicktime.location.ISO6709", "location", "location-eng"):
        match = _ISO_6709.match(tags.get(name, ""))
        if match:
            return _checked(_packed(match[1], 2), _packed(match[2], 3))
    return None


def _packed(text: str, digits: int) -> float | None:
    """Read ±DD.D, ±DDMM.M or ±DDMMSS.S, where degrees have `digits` digits."""
    sign = -1 if text[0] == "-" else 1
    whole, _, fraction = text[1:].partition(".")
    rest = len(whole) - digits
    if rest <= 0:
        return sign * float(text[1:])
    if rest == 2:
        return sign * (int(whole[:digits]) + float(f"{whole[digits:]}.{fraction or 0}") / 60)
    if rest == 4:
        minutes, seconds = int(whole[digits : digits + 2]), float(f"{whole[digits + 2 :]}.{fraction or 0}")
        return sign * (int(whole[:digits]) + minutes / 60 + seconds / 3600)
    return None


def _get(directory: _Exif, tag: int) -> object:
    try:
        return directory.get(tag)
    except _EXIF_ERRORS:
        return None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        return ""
    return " ".join("".join(_WORD.findall(value.split("\0")[0])).split())[:100]


def _date(text: str) -> datetime | None:
    try:
        date = datetime.strptime(text[:19].replace("-", ":").replace("T", " "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return date if date.year >= _FIRST_PHOTOGRAPH else None


def _offset(text: str) -> timezone | None:
    if text == "Z":
        return UTC
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if not match or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    delta = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-delta if match[1] == "-" else delta)


def _degrees(value: object, reference: object, negative: str) -> float | None:
    try:
        parts = [float(part) for part in value]  # type: ignore[attr-defined]
        degrees: float = sum(part / 60**power for power, part in enumerate(parts[:3]))
    except _EXIF_ERRORS:
        return None
    if not parts:
        return None
    return -degrees if _text(reference).upper().startswith(negative) else degrees


def _checked(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    if latitude == longitude == 0:
        return None  # what a phone without a fix writes
    return round(latitude, 6), round(longitude, 6)
