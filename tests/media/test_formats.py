import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UnsupportedMediaError
from appliance.media.formats import sniff
from appliance.records import Format, Kind


def boxed(major: bytes, *compatible: bytes) -> bytes:
    brands = major + b"\0\0\0\0" + b"".join(compatible)
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\0\0\0\x08free"


def ebml(doctype: bytes) -> bytes:
    body = b"\x42\x86\x81\x01" + b"\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(body)]) + body


def tiff(order: str, *tags: tuple[int, int, int, int], after: bytes = b"") -> bytes:
    """A TIFF header and directory of (tag, type, count, value)."""
    mark = b"II*\0" if order == "little" else b"MM\0*"
    entries = b""
    for tag, kind, count, value in tags:
        number = value.to_bytes(4, order)
        if kind == 3:
            number = value.to_bytes(2, order) + b"\0\0"
        entries += tag.to_bytes(2, order) + kind.to_bytes(2, order) + count.to_bytes(4, order) + number
    return mark + (8).to_bytes(4, order) + len(tags).to_bytes(2, order) + entries + b"\0\0\0\0" + after


def test_each_photo_format_is_told_by_its_content(photo_bytes):
    for name, data in photo_bytes.items():
        found = sniff(data)
        assert (found.name, found.kind) == (name, Kind.PHOTO)
        assert found.mime == f"image/{name.lower()}"


@pytest.mark.parametrize(
    ("file", "codec", "name", "mime"),
    [
        ("a.mp4", "libx264", "MP4", "video/mp4"),
        ("a.mov", "libx264", "MOV", "video/quicktime"),
        ("a.mkv", "libx264", "MKV", "video/x-matroska"),
        ("a.webm", "libvpx-vp9", "WebM", "video/webm"),
        ("a.avi", "mpeg4", "AVI", "video/x-msvideo"),
        ("a.3gp", "mpeg4", "3GP", "video/3gpp"),
        ("a.m4v", "libx264", "M4V", "video/x-m4v"),
    ],
)
def test_each_video_format_is_told_by_its_content(film, file, codec, name, mime):
    path = film(file, codec, seconds=0.2).rename(Path(film("x.mp4", seconds=0.1)).with_name("holiday.jpg"))
    assert sniff(path.read_bytes()[:65536]) == Format(Kind.VIDEO, mime, name)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (boxed(b"heic", b"mif1", b"heic"), "HEIC"),
        (boxed(b"heix", b"mif1"), "HEIC"),
        (boxed(b"hevc", b"msf1"), "HEIC"),
        (boxed(b"mif1", b"mif1", b"heic", b"miaf"), "HEIC"),
        (boxed(b"mif1", b"mif1", b"miaf"), "HEIF"),
        (boxed(b"msf1", b"msf1"), "HEIF"),
        (boxed(b"mif1", b"avif", b"miaf"), "AVIF"),
        (boxed(b"avif"), "AVIF"),
        (boxed(b"avis", b"msf1"), "AVIF"),
        (boxed(b"isom", b"iso2", b"avc1"), "MP4"),
        (boxed(b"mp42"), "MP4"),
        (boxed(b"iso5", b"dash"), "MP4"),
        (boxed(b"qt  "), "MOV"),
        (boxed(b"3gp4"), "3GP"),
        (boxed(b"3g2a"), "3GP"),
        (boxed(b"M4V ", b"M4A "), "M4V"),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "MOV"),
        (b"\0\0\x10\0moov\0\0\0\x6cmvhd", "MOV"),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\x10\0", "MOV"),
        (ebml(b"webm"), "WebM"),
        (ebml(b"matroska"), "MKV"),
        (ebml(b"matroska\0\0"), "MKV"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (tiff("big", (256, 4, 1, 10)), "TIFF"),
    ],
)
def test_brands_and_old_headers(head, name):
    assert sniff(head).name == name


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "This file is empty"),
        (bytes(65536), "nothing but zeros"),
        (b"Dear grandma, here are the pictures", "a text file"),
        ("Grüße aus Köln".encode(), "a text file"),
        (b"BM is how this letter begins", "a text file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04\x14\0", "a ZIP archive"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<!DOCTYPE html><title>x</title>", "a web page"),
        (b"ID3\x04\0", "an audio file (MP3)"),
        (b"\xff\xfb\x90\x64\0\0", "an audio file (MP3 or AAC)"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "an audio file (WAV)"),
        (b"OggS\0\x02", "an Ogg file"),
        (boxed(b"M4A ", b"isom"), "an audio file (M4A)"),
        (boxed(b"jp2 "), "a JPEG 2000 picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"8BPS\0\x01", "a Photoshop file"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "a Windows Media file"),
        (b"\x47" + bytes(187) + b"\x47" + bytes(187) + b"\x47", "an MPEG transport stream"),
        (ebml(b"other"), "a Matroska-like file"),
        (b"MZ\x90\0", "a Windows program"),
        (b"\x9e\x03\x81\x77\0\x01", "a kind that Shoebox does not know"),
    ],
)
def test_what_cannot_be_shown_is_named_and_what_works_is_said(head, words):
    with pytest.raises(UnsupportedMediaError) as caught:
        sniff(head)
    assert words in caught.value.message
    assert "JPEG" in caught.value.next_step or "Send it again" in caught.value.next_step


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"II*\0\x10\0\0\0CR\x02\0", "CR2"),
        (boxed(b"crx ", b"isom"), "CR3"),
        (tiff("little", (50706, 1, 4, 0x00000401)), "DNG"),
        (tiff("little", (254, 4, 1, 1), (271, 2, 18, 50), (330, 4, 2, 90), after=b"NIKON CORPORATION\0"), "NEF"),
        (tiff("big", (254, 4, 1, 1), (330, 4, 2, 90)), "TIFF-based"),
    ],
)
def test_raw_camera_files_are_said_not_to_be_supported_yet(head, name):
    with pytest.raises(UnsupportedMediaError) as caught:
        sniff(head)
    assert f"a raw camera file ({name}), which is not supported yet" in caught.value.message


def test_a_scanned_tiff_with_a_maker_is_no_raw_file():
    assert sniff(tiff("little", (254, 4, 1, 0), (271, 2, 4, 0x004E4543))).name == "TIFF"


def outcome(head: bytes) -> str:
    try:
        return sniff(head).name
    except UnsupportedMediaError as error:
        return error.next_step


@given(st.binary(max_size=400))
def test_any_bytes_give_a_format_or_an_unsupported_error(head):
    assert outcome(head)


@given(st.sampled_from([b"\x1a\x45\xdf\xa3", b"II*\0", b"MM\0*", b"\0\0\0\x20ftyp"]), st.binary(max_size=200))
def test_any_bytes_after_a_good_start_give_a_format_or_an_unsupported_error(start, rest):
    assert outcome(start + rest)


def test_the_page_can_sniff_without_a_decoder():
    code = (
        "import sys, appliance.media.formats; print([name for name in ('PIL', 'av', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
