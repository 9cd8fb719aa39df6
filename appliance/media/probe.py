"""What a photo or a video says of itself, read from its headers and metadata."""

from pathlib import Path

from PIL import Image

from appliance.media import metadata, photo
from appliance.media.formats import HEAD_BYTES, sniff
from appliance.records import Facts, Format, Kind


def probe(path: Path) -> Facts:
    """Return the facts of the photo or video at `path`; of a video one frame is decoded to know how it is held.

    Raises UnsupportedMediaError, DamagedMediaError or MediaTooLargeError. Damaged EXIF data only lacks its facts.
    """
    with path.open("rb") as file:
        format = sniff(file.read(HEAD_BYTES))
    return _photo(path) if format.kind is Kind.PHOTO else _video(path)


def _photo(path: Path) -> Facts:
    with photo.opened(path) as (image, format):
        main, details, gps = metadata.exif(image)
        width, height = image.size
        if metadata.orientation(image) >= 5:
            width, height = height, width
        place = metadata.place(gps)
        return Facts(
            format=format,
            width=width,
            height=height,
            taken_at=metadata.photo_time(main, details),
            camera=metadata.photo_camera(main),
            latitude=place[0] if place else None,
            longitude=place[1] if place else None,
            animated=_animated(image, format),
        )


def _animated(image: Image.Image, format: Format) -> bool:
    if format.name not in {"GIF", "WebP", "PNG", "AVIF"}:
        return False  # a TIFF has pages, a JPEG has other views, a HEIC has other pictures
    try:
        return bool(getattr(image, "is_animated", False))
    except photo.PARSER_ERRORS:
        return False


def _video(path: Path) -> Facts:
    from appliance.media import container  # only here: a photo needs no FFmpeg

    with container.opened(path) as video:
        place = metadata.video_place(video.tags)
        width, height = video.shown_size
        return Facts(
            format=video.format,
            width=width,
            height=height,
            duration=video.duration,
            taken_at=metadata.video_time(video.tags),
            camera=metadata.video_camera(video.tags),
            latitude=place[0] if place else None,
            longitude=place[1] if place else None,
            codec=video.codec,
        )
