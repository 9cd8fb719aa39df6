"""What a file that Shoebox cannot show seems to be, for a sentence that helps its sender. Told by first bytes alone."""

from typing import Literal

from appliance.sentences import say

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", say("a PDF document")),
    (b"PK\x03\x04", say("a ZIP archive or an Office document")),
    (b"PK\x05\x06", say("an empty ZIP archive")),
    (b"Rar!", say("a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", say("a 7-Zip archive")),
    (b"\x1f\x8b", say("a gzip archive")),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", say("an xz archive")),
    (b"\x28\xb5\x2f\xfd", say("a Zstandard archive")),
    (b"8BPS", say("a Photoshop file (PSD)")),
    (b"%!PS", say("a PostScript file")),
    (b"\xff\x0a", say("a JPEG XL picture")),
    (b"\0\0\0\x0cJXL ", say("a JPEG XL picture")),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\0\0\x01\0", say("an icon (ICO)")),
    (b"icns", say("an icon (ICNS)")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", say("a Windows Media file (WMV or WMA)")),
    (b"FLV\x01", say("a Flash video (FLV)")),
    (b"\0\0\x01\xba", say("an MPEG-2 video (MPG or VOB)")),
    (b"\0\0\x01\xb3", say("an MPEG-2 video (MPG)")),
    (b".RMF", say("a RealMedia file")),
    (b"\x1a\x45\xdf\xa3", say("a Matroska-like file of an unknown kind")),
    (b"OggS", say("an Ogg file (audio or video)")),
    (b"ID3", say("an audio file (MP3)")),
    (b"fLaC", say("an audio file (FLAC)")),
    (b"#!AMR", say("an audio file (AMR)")),
    (b"MThd", say("a MIDI file")),
    (b"SQLite format 3\0", say("a SQLite database")),
    (b"MZ", say("a Windows program")),
    (b"\x7fELF", say("a Linux program")),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"bplist00", say("an Apple property list")),
)
_RAW_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"IIU\0", "RW2"),
    (b"IIRO", "ORF"),
    (b"IIRS", "ORF"),
    (b"MMOR", "ORF"),
    (b"FOVb", "X3F"),
    (b"\0MRM", "MRW"),
    (b"II\x1a\0\0\0HEAPCCDR", "CRW"),
)
# Makers whose raw files are TIFFs with a small picture first; the names are as the camera writes them.
_RAW_MAKERS = ((b"NIKON", "NEF"), (b"SONY", "ARW"), (b"PENTAX", "PEF"), (b"SAMSUNG", "SRW"), (b"Hasselblad", "3FR"))
_MAKE, _NEW_SUBFILE_TYPE, _SUB_IFDS, _DNG_VERSION = 271, 254, 330, 50706


def looks_like(head: bytes, *, raw_only: bool = False) -> str:
    """Return what the file beginning with `head` seems to be ("a PDF document"), or "" where nobody can tell.

    With `raw_only` only raw camera files are told: many of them begin as a TIFF does.
    """
    raw = _raw(head)
    if raw or raw_only:
        return say("a raw camera file ({raw})", raw=raw) if raw else ""
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    return _riff(head) or _stream(head) or _text(head)


def _raw(head: bytes) -> str:
    for start, name in _RAW_STARTS:
        if head.startswith(start):
            return name
    if head[:4] not in {b"II*\0", b"MM\0*"}:
        return ""
    if head[8:10] == b"CR":
        return "CR2"
    tags = _tiff_tags(head)
    if _DNG_VERSION in tags:
        return "DNG"
    # A scanner's TIFF has a maker too, but its first picture is the whole one and needs no further directories.
    if _SUB_IFDS in tags and int.from_bytes(tags.get(_NEW_SUBFILE_TYPE, b""), "little" if head[:1] == b"I" else "big"):
        maker = tags.get(_MAKE, b"")
        return next((name for start, name in _RAW_MAKERS if maker.startswith(start)), "TIFF-based")
    return ""


def _tiff_tags(head: bytes) -> dict[int, bytes]:
    """Return the tags of the first directory, as far as it lies in `head`: numbers as stored, texts looked up."""
    order: Literal["little", "big"] = "little" if head[:1] == b"I" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(head[at : at + size], order)

    start = number(4, 4)
    tags: dict[int, bytes] = {}
    for at in range(start + 2, min(start + 2 + 12 * number(start, 2), len(head) - 11), 12):
        tag, kind, count = number(at, 2), number(at + 2, 2), number(at + 4, 4)
        value = head[at + 8 : at + 12]
        if kind == 2 and count > 4:
            text_at = number(at + 8, 4)
            value = head[text_at : text_at + min(count, 64)]
        elif kind == 3 and count == 1:
            value = value[:2]
        tags[tag] = value
    return tags


def _riff(head: bytes) -> str:
    if head[:4] != b"RIFF":
        return ""
    kind = head[8:12]
    if kind == b"WAVE":
        return say("an audio file (WAV)")
    return say("an animated cursor") if kind == b"ACON" else say("a RIFF file of an unknown kind")


def _stream(head: bytes) -> str:
    """Tell formats that have no signature, only a repeating sync pattern."""
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return say("an MPEG transport stream (TS)")
    if len(head) > 196 + 4 and head[4] == head[196] == 0x47:
        return say("an AVCHD video (MTS)")
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return say("an audio file (MP3 or AAC)")
    return ""


def _text(head: bytes) -> str:
    sample = head[:4096]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return say("a text file")
    if b"\0" in sample:
        return ""
    lowered = sample.lower()
    if b"<svg" in lowered:
        return say("an SVG drawing")
    if b"<html" in lowered or b"<!doctype html" in lowered:
        return say("a web page")
    if lowered.lstrip().startswith(b"<?xml"):
        return say("an XML file")
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        # The sample may end inside a letter of several bytes.
        if error.start < len(sample) - 4:
            return ""
    return say("a text file")
