"""What a file is, told by its first bytes alone. Pure Python and no decoding: the web process imports it."""

from appliance.errors import UnsupportedMediaError
from appliance.media.lookalikes import looks_like
from appliance.records import Format, Kind
from appliance.sentences import say

HEAD_BYTES = 65536
WORKING = say(
    "Photos work as JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or HEIC, "
    "videos as MP4, MOV, MKV, WebM, AVI or 3GP with H.264, HEVC, VP9, AV1 or MPEG-4."
)

JPEG = Format(Kind.PHOTO, "image/jpeg", "JPEG")
PNG = Format(Kind.PHOTO, "image/png", "PNG")
WEBP = Format(Kind.PHOTO, "image/webp", "WebP")
GIF = Format(Kind.PHOTO, "image/gif", "GIF")
TIFF = Format(Kind.PHOTO, "image/tiff", "TIFF")
BMP = Format(Kind.PHOTO, "image/bmp", "BMP")
AVIF = Format(Kind.PHOTO, "image/avif", "AVIF")
HEIC = Format(Kind.PHOTO, "image/heic", "HEIC")
HEIF = Format(Kind.PHOTO, "image/heif", "HEIF")
MP4 = Format(Kind.VIDEO, "video/mp4", "MP4")
M4V = Format(Kind.VIDEO, "video/x-m4v", "M4V")
MOV = Format(Kind.VIDEO, "video/quicktime", "MOV")
THREE_GP = Format(Kind.VIDEO, "video/3gpp", "3GP")
MKV = Format(Kind.VIDEO, "video/x-matroska", "MKV")
WEBM = Format(Kind.VIDEO, "video/webm", "WebM")
AVI = Format(Kind.VIDEO, "video/x-msvideo", "AVI")

_HEVC_STILLS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AV1_STILLS = {b"avif", b"avis"}
_ANY_STILLS = {b"mif1", b"mif2", b"msf1", b"miaf"}
_OTHER_BRANDS = {
    b"crx ": say("a raw camera file (CR3)"),
    b"jp2 ": "a JPEG 2000 picture",
    b"jpx ": "a JPEG 2000 picture",
    b"mjp2": say("a Motion JPEG 2000 video"),
    b"M4A ": say("an audio file (M4A)"),
    b"M4B ": say("an audio book (M4B)"),
    b"M4P ": say("a protected audio file (M4P)"),
    b"F4A ": say("an audio file (F4A)"),
    b"F4B ": say("an audio book (F4B)"),
}
# QuickTime files older than 2001 have no `ftyp`; one of these boxes comes first.
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}


def sniff(head: bytes) -> Format:
    """Return the format of the file that begins with `head` (its first 64 KiB, or all of a shorter file).

    Raises UnsupportedMediaError, naming what the file seems to be and which formats work.
    """
    if not head.strip(b"\0"):
        holds = say("holds nothing but zeros, as an interrupted copy leaves behind") if head else say("is empty")
        raise UnsupportedMediaError("This file {holds}.", "Send it again from the phone.", holds=holds)
    found = _photo(head) or _boxes(head) or _video(head)
    if found is None or looks_like(head, raw_only=True):
        raise unsupported(looks_like(head) or say("a file of a kind that Shoebox does not know"))
    return found


def unsupported(seems: str) -> UnsupportedMediaError:
    """Return the error for a file that seems to be `seems` ("a PDF document")."""
    if "raw camera file" in seems:
        next_step = say("Send the picture as JPEG or HEIC; most cameras and phones can save both.")
        return UnsupportedMediaError("This looks like {seems}, which is not supported yet.", next_step, seems=seems)
    return UnsupportedMediaError(
        "This looks like {seems}, not like a photo or video that Shoebox can show.", WORKING, seems=seems
    )


def _photo(head: bytes) -> Format | None:
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TIFF
    # Two letters are too few to tell a bitmap from a text; the size of the second header is one of a few.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return BMP
    return None


def _boxes(head: bytes) -> Format | None:
    """Tell files of ISO boxes (MP4, MOV, 3GP, HEIC, AVIF) apart by their brands."""
    size, kind = int.from_bytes(head[:4], "big"), head[4:8]
    if kind in _OLD_QUICKTIME and (size >= 8 or size in {0, 1}) and len(head) >= 8:
        return MOV
    if kind != b"ftyp" or size < 16:
        return None
    major = head[8:12]
    brands = {head[at : at + 4] for at in range(16, min(size, len(head)), 4)}
    if major in _OTHER_BRANDS:
        raise unsupported(_OTHER_BRANDS[major])
    if major in _AV1_STILLS or (major in _ANY_STILLS and brands & _AV1_STILLS):
        return AVIF
    if major in _HEVC_STILLS or (major in _ANY_STILLS and brands & _HEVC_STILLS):
        return HEIC
    if major in _ANY_STILLS:
        return HEIF
    if major == b"qt  ":
        return MOV
    if major[:2] == b"3g":
        return THREE_GP
    return M4V if major.startswith(b"M4V") else MP4


def _video(head: bytes) -> Format | None:
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return {b"matroska": MKV, b"webm": WEBM}.get(_doctype(head))
    return None


def _doctype(head: bytes) -> bytes:
    """Return the DocType of a file of EBML elements, empty where it has none."""
    _, length, at = _element(head, 0)
    end = min(at + length, len(head))
    while at < end:
        name, length, body = _element(head, at)
        if name == b"\x42\x82":
            return head[body : body + length].rstrip(b"\0")
        at = body + length
    return b""


def _element(head: bytes, at: int) -> tuple[bytes, int, int]:
    """Return the id, the length and the start of the body of the EBML element at `at`."""
    name_bytes = _vint_bytes(head, at)
    size_at = at + name_bytes
    size_bytes = _vint_bytes(head, size_at)
    length = int.from_bytes(head[size_at : size_at + size_bytes], "big") & ((1 << (7 * size_bytes)) - 1)
    return head[at:size_at], length, size_at + size_bytes


def _vint_bytes(head: bytes, at: int) -> int:
    """Return how many bytes the number at `at` takes: one more than its first byte has leading zero bits."""
    return 9 - head[at].bit_length() if at < len(head) else 1
