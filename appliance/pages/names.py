"""What files are called where they came without a name, and what people call their formats."""

from appliance.records import Format, Kind

EXTENSIONS = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "image/tiff": "tif",
    "image/bmp": "bmp", "image/avif": "avif", "image/heic": "heic", "image/heif": "heif", "video/mp4": "mp4",
    "video/x-m4v": "m4v", "video/quicktime": "mov", "video/x-matroska": "mkv", "video/webm": "webm",
    "video/x-msvideo": "avi", "video/3gpp": "3gp",
}  # fmt: skip
# Their originals can be shown as they are; of the others only what the box has made of them.
SHOWN_BY_BROWSERS = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/avif"})
WORDS = {"jpg": "JPEG", "tif": "TIFF", "webp": "WebP", "webm": "WebM"}


def default_name(form: Format) -> str:
    """Return a name for a file that was sent without one: `photo.jpg`."""
    return f"{'photo' if form.kind is Kind.PHOTO else 'video'}.{EXTENSIONS.get(form.mime, 'bin')}"


def format_word(mime: str) -> str:
    """Return what people call a format: `JPEG`, `MOV`; "" for one that is not known."""
    extension = EXTENSIONS.get(mime, "")
    return WORDS.get(extension, extension.upper())
