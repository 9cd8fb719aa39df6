"""Files that mean harm, or never had a chance, each made from a few lines: claims without pixels, locks without keys.

`bad_files` gives them by name. None is larger than a few megabytes, whatever it claims.
"""

import io
import os
import struct
import zlib
from dataclasses import dataclass
from fractions import Fraction

import av
import pillow_heif
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"
EBML_HEAD = b"\x1a\x45\xdf\xa3"
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Bad:
    """A file by its bytes; refused while it is sent with the HTTP `status` where there is one, else described in vain.

    `says` is a part of the sentence that its sender reads; an empty one means that it is described all the same.
    """

    data: bytes
    says: str
    status: int = 0


# ---- photos


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int = 8, colour: int = 2, *, extra: bytes = b"") -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    picture = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return PNG_START + chunk(b"IHDR", header) + extra + picture + chunk(b"IEND", b"")


def whole_png(extra: bytes = b"", *, size: tuple[int, int] = (64, 48)) -> bytes:
    """A red PNG that can be decoded, with further chunks before its pixels."""
    data = saved("PNG", size=size)
    return data[:33] + extra + data[33:]


def zipped(megabytes: int) -> bytes:
    """Zeros, packed a thousand to one, without ever holding them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">HH", (megabytes * MEGABYTE) % 65521, 1)
    return b"\x78\xda" + block * megabytes + b"\x03\0" + checksum


def saved(form: str, *, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """A red picture as Pillow writes it."""
    out = io.BytesIO()
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    Image.new("RGB", size, (200, 20, 20)).save(out, form, **options)
    return out.getvalue()


def jpeg(*segments: tuple[int, bytes], size: tuple[int, int] | None = None, after: bytes = b"") -> bytes:
    """A JPEG with further segments (marker, bytes) after its start, claiming `size`."""
    data = bytearray(saved("JPEG"))
    if size:
        start = data.index(b"\xff\xc0")
        data[start + 5 : start + 9] = struct.pack(">HH", size[1], size[0])
    more = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return bytes(data[:2]) + more + bytes(data[2:]) + after


def exif_loop() -> bytes:
    """EXIF whose directories are each other's, with a thumbnail in a thumbnail in a thumbnail."""

    def directory(*tags: tuple[int, int, int, int], after: int) -> bytes:
        entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
        return struct.pack("<H", len(tags)) + entries + struct.pack("<I", after)

    first = directory((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), (0x014A, 4, 1, 8), after=8)
    inner = b"Exif\0\0II*\0\x08\0\0\0" + first
    for _ in range(40):
        thumbnail = b"\xff\xd8\xff\xe1" + struct.pack(">H", min(len(inner) + 2, 65535)) + inner + b"\xff\xd9"
        at = 8 + 2 + 3 * 12 + 4
        tags = directory((0x0201, 4, 1, at), (0x0202, 4, 1, len(thumbnail)), (0x8769, 4, 1, 8), after=8)
        inner = b"Exif\0\0II*\0\x08\0\0\0" + tags + thumbnail
    return inner


def exif_of_65535_entries() -> bytes:
    """EXIF whose one directory claims as many entries as can be, each as long as can be."""
    entries = struct.pack("<HHII", 0x9286, 7, 0xFFFFFFF0, 8) * 4000
    return b"Exif\0\0II*\0\x08\0\0\0" + b"\xff\xff" + entries


def profile(claimed: int, real: int = 4096) -> bytes:
    """An ICC profile that claims a size in its header."""
    return struct.pack(">I", claimed) + b"lcms\x04\x40\0\0mntrRGB XYZ " + bytes(real - 24)


def gif(width: int, height: int, frames: int = 1) -> bytes:
    """A GIF that claims a size, with so many frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(3) + b"\xff" * 3
    frame = b"!\xf9\x04\0\x01\0\0\0," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + frame * frames + b";"


def webp(width: int, height: int) -> bytes:
    """A lossless WebP that claims a size and holds nothing."""
    sizes = ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    frame = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + sizes + bytes(5)
    return b"RIFF" + struct.pack("<I", 4 + len(frame)) + b"WEBP" + frame


def webp_animation(width: int, height: int, frames: int) -> bytes:
    """A WebP animation that claims a canvas, with so many frames of one pixel."""
    still = io.BytesIO()
    Image.new("RGB", (1, 1), (200, 20, 20)).save(still, "WEBP", lossless=True)
    part = still.getvalue()[12:]
    body = struct.pack("<I", 0)[:3] * 2 + bytes(6) + struct.pack("<I", 40)[:3] + b"\0" + part
    frame = b"ANMF" + struct.pack("<I", len(body)) + body
    head = b"\x02\0\0\0" + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    chunks = b"VP8X" + struct.pack("<I", 10) + head + b"ANIM" + struct.pack("<IIH", 6, 0, 0) + frame * frames
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def bmp(width: int, height: int) -> bytes:
    """A bitmap that claims a size."""
    head = struct.pack("<IHHIIiiHHIIiiII", 200, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + head + bytes(146)


def tiff(*tags: tuple[int, int, int, int], order: str = "<", after: bytes = b"", mark: bytes = b"") -> bytes:
    """A TIFF's header and one directory of (tag, type, count, value); `mark` stands where cameras put theirs."""
    start = 8 + len(mark)
    entries = b"".join(
        struct.pack(
            order + ("HHIHH" if kind == 3 and count == 1 else "HHII"),
            tag,
            kind,
            count,
            value,
            *[0] * (kind == 3 and count == 1),
        )
        for tag, kind, count, value in tags
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start) + mark
    return head + struct.pack(order + "H", len(tags)) + entries + bytes(4) + after


def large_tiff(width: int, height: int, compression: int = 1) -> bytes:
    """A TIFF that claims a size."""
    return tiff(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 200), after=bytes(300),
    )  # fmt: skip


def tiff_loop() -> bytes:
    """A TIFF whose next directory is its first."""
    data = bytearray(saved("TIFF"))
    start = int.from_bytes(data[4:8], "little")
    end = start + 2 + 12 * int.from_bytes(data[start : start + 2], "little")
    data[end : end + 4] = data[4:8]
    return bytes(data)


def resized_boxes(form: str, size: tuple[int, int]) -> bytes:
    """A HEIC or an AVIF that claims another size in its `ispe` boxes."""
    data = bytearray(saved(form))
    at = data.index(b"ispe")
    while at >= 0:
        data[at + 8 : at + 16] = struct.pack(">II", *size)
        at = data.find(b"ispe", at + 4)
    return bytes(data)


def heif_of(codec: bytes) -> bytes:
    """A HEIF picture that says it is packed by another codec."""
    return saved("HEIF").replace(b"hvc1", codec).replace(b"hvcC", codec[:3] + b"C").replace(b"ftypheic", b"ftypmif1")


# ---- videos


def film(
    form: str, codec: str, *, frames: int = 12, size: tuple[int, int] = (64, 48), rate: int = 10, **container: str
) -> bytes:
    """A short film, red then blue; `container` are FFmpeg's options for the file."""
    os.environ["SVT_LOG"] = "0"  # the AV1 encoder writes to the terminal otherwise
    options = {
        "libx264": {"preset": "ultrafast", "g": "5"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:keyint=5"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "g": "5"},
        "libsvtav1": {"preset": "12"},
    }
    out = io.BytesIO()
    with av.open(out, "w", format=form, options=container) as output:
        stream = output.add_stream(codec, rate=Fraction(rate), options=options.get(codec, {"g": "5"}))
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for index in range(frames):
            colour = (200, 20, 20) if index < frames // 2 else (20, 20, 200)
            output.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", size, colour))))
        output.mux(stream.encode())
    return out.getvalue()


def sound(form: str, codec: str) -> bytes:
    """Half a second of silence."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as output:
        stream = output.add_stream(codec, rate=48000, layout="mono")
        frame = av.AudioFrame(
            format={"aac": "fltp", "libmp3lame": "fltp"}.get(codec, "s16"), layout="mono", samples=960
        )
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = 48000
        for index in range(25):
            frame.pts = 960 * index
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return out.getvalue()


def grown(data: bytes, path: tuple[bytes, ...], at: int, more: bytes) -> bytes:
    """An MP4 whose index stands last, with `more` put in at `at`, and the boxes around it made larger."""
    new = bytearray(data[:at] + more + data[at:])
    for box in path:
        start = new.rindex(box, 0, at + len(more)) - 4
        new[start : start + 4] = (int.from_bytes(new[start : start + 4], "big") + len(more)).to_bytes(4, "big")
    return bytes(new)


def huge_film(width: int, height: int) -> bytes:
    """An AVI of one picture, a small JPEG that claims this size, a thousand of them a second."""
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as output:
        stream = output.add_stream("mjpeg", rate=1000)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        packet = av.Packet(jpeg(size=(width, height)))
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        packet.time_base = Fraction(1, 1000)
        output.mux(packet)
    return out.getvalue()


def huge_claim(width: int, height: int) -> bytes:
    """An MP4 whose sample entry claims pictures of this size, a thousand of them a second."""
    data = film("mp4", "libx264", size=(64, 48), rate=1000)
    entry = data.rindex(b"avc1")
    return data[: entry + 28] + struct.pack(">HH", width, height) + data[entry + 32 :]


def long_claim(hours: int) -> bytes:
    """An MP4 whose headers claim that it goes on for so many hours."""
    data = bytearray(film("mp4", "libx264"))
    for box, scale_at, length_at in ((b"mvhd", 16, 20), (b"mdhd", 16, 20), (b"tkhd", 0, 24)):
        at = data.rindex(box)
        scale = int.from_bytes(data[at + scale_at : at + scale_at + 4], "big") if scale_at else 1000
        data[at + length_at : at + length_at + 4] = struct.pack(">I", min(hours * 3600 * scale, 0xFFFFFFFF))
    return bytes(data)


def edits(count: int) -> bytes:
    """An MP4 with an edit list of so many entries."""
    data = film("mp4", "libx264")
    if b"edts" in data:
        data = data.replace(b"edts", b"free")
    entries = b"".join(struct.pack(">iiI", 1, index % 1000, 0x10000) for index in range(count))
    elst = struct.pack(">I", 16 + len(entries)) + b"elst" + bytes(4) + struct.pack(">I", count) + entries
    box = struct.pack(">I", 8 + len(elst)) + b"edts" + elst
    return grown(data, (b"moov", b"trak"), data.rindex(b"mdia") - 4, box)


def tracks(count: int) -> bytes:
    """An MP4 with so many tracks, each like the first."""
    data = film("mp4", "libx264")
    start = data.rindex(b"trak") - 4
    end = start + int.from_bytes(data[start : start + 4], "big")
    return grown(data, (b"moov",), end, data[start:end] * (count - 1))


def samples(count: int, size: int = 1) -> bytes:
    """An MP4 whose index claims so many pictures of `size` bytes in one chunk."""
    data = bytearray(film("mp4", "libx264"))

    def put(box: bytes, at: int, *numbers: int) -> None:
        start = data.rindex(box) + at
        data[start : start + 4 * len(numbers)] = struct.pack(f">{len(numbers)}I", *numbers)

    put(b"stsz", 8, size, count)
    put(b"stsc", 8, 1, 1, count, 1)
    put(b"stts", 8, 1, count, 1)
    return bytes(data)


def fragment(count: int) -> bytes:
    """An MP4 in fragments, the first of which claims so many pictures."""
    data = bytearray(film("mp4", "libx264", movflags="frag_keyframe+empty_moov+default_base_moof"))
    at = data.index(b"trun")
    data[at + 4 : at + 12] = struct.pack(">II", 1, count)
    return bytes(data)


def protected(data: bytes, entry: bytes = b"encv") -> bytes:
    """An MP4 whose film is marked as encrypted, as shops (`drmi`) and others (`encv`) mark it."""
    mark = b"\0\0\0\x14sinf" + b"\0\0\0\x0cfrmaavc1"
    start = data.rindex(b"avc1")
    end = start - 4 + int.from_bytes(data[start - 4 : start], "big")
    marked = data[:start] + entry + data[start + 4 :]
    return grown(marked, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", entry), end, mark)


def element(name: str, body: bytes) -> bytes:
    """An EBML element."""
    return bytes.fromhex(name) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def encrypted_webm() -> bytes:
    """A WebM whose film is encrypted (ContentEncryption), as shops mark it; its pictures are noise."""
    key = element("47E1", b"\x05") + element("47E2", bytes(range(16)))
    encoding = element("5031", b"\0") + element("5032", b"\x01") + element("5033", b"\x01") + element("5035", key)
    video = element("B0", b"\x40") + element("BA", b"\x30")
    track = (
        element("D7", b"\x01") + element("73C5", b"\x01") + element("83", b"\x01") + element("86", b"V_VP9")
        + element("E0", video) + element("6D80", element("6240", encoding))
    )  # fmt: skip
    block = element("A3", b"\x81\0\0\x80" + bytes(range(256)) * 4)
    segment = (
        element("1549A966", element("2AD7B1", b"\x0f\x42\x40"))
        + element("1654AE6B", element("AE", track))
        + element("1F43B675", element("E7", b"\0") + block)
    )
    head = element("4286", b"\x01") + element("4282", b"webm") + element("4287", b"\x04") + element("4285", b"\x02")
    return element("1A45DFA3", head) + element("18538067", segment)


def huge_matroska(width: int, height: int) -> bytes:
    """A Matroska film that claims pictures of this size."""
    video = element("B0", width.to_bytes(4, "big")) + element("BA", height.to_bytes(4, "big"))
    track = (
        element("D7", b"\x01") + element("73C5", b"\x01") + element("83", b"\x01") + element("86", b"V_VP9")
        + element("E0", video)
    )  # fmt: skip
    segment = (
        element("1549A966", element("2AD7B1", b"\x0f\x42\x40"))
        + element("1654AE6B", element("AE", track))
        + element("1F43B675", element("E7", b"\0") + element("A3", b"\x81\0\0\x80" + bytes(range(256))))
    )
    return element("1A45DFA3", element("4282", b"matroska")) + element("18538067", segment)


# ---- files of two kinds


def polyglots() -> dict[str, tuple[bytes, str]]:
    """Pictures that are something else too, by the name that they are sent under; each with its one true type."""
    page = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
    paper = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    archive = b"PK\x03\x04\x14\0" + bytes(26) + b"PK\x05\x06" + bytes(18)
    return {
        "picture.gif.zip": (saved("GIF") + archive, "image/gif"),
        "picture.html": (jpeg((0xFE, page), after=page), "image/jpeg"),
        "picture.pdf": (jpeg((0xFE, paper), after=paper), "image/jpeg"),
        "picture.svg": (whole_png(chunk(b"tEXt", b"x\0<svg xmlns='http://www.w3.org/2000/svg'/>")), "image/png"),
        "picture.mp4": (saved("JPEG", size=(80, 48)), "image/jpeg"),
        "film.jpg": (film("mp4", "libx264"), "video/mp4"),
    }


# ---- all of them

CUT, DAMAGED, LARGE, NOT_YET = "ends too early", "damaged", "can take", "not supported yet"


def bad_files() -> dict[str, Bad]:
    """Return every bad file by the name that it is sent under."""
    photo = saved("JPEG")
    mp4 = film("mp4", "libx264")
    return (
        {name: Bad(data, says, 415) for name, (data, says) in _refused_at_once(mp4).items()}
        | {name: Bad(data, says) for name, (data, says) in (_photos(photo) | _videos(mp4)).items()}
        | {"empty.jpg": Bad(b"", "empty", 400)}
    )


def _refused_at_once(mp4: bytes) -> dict[str, tuple[bytes, str]]:
    nikon = b"NIKON CORPORATION\0"
    at = 8 + 2 + 3 * 12 + 4
    maker = (271, 2, len(nikon), at)
    sony = (271, 2, 5, at)
    return {
        "zeros.mp4": (bytes(100_000), "nothing but zeros"),
        "letter.jpg": (b"Dear grandma, here are the pictures. " * 50, "a text file"),
        "drawing.svg": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "an SVG"),
        "page.jpg": (b"<!DOCTYPE html><script>alert(1)</script>", "a web page"),
        "paper.pdf": (b"%PDF-1.7\n1 0 obj<<>>endobj\n" + saved("JPEG"), "a PDF document"),
        "album.zip": (b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(100), "a ZIP archive"),
        "layers.psd": (b"8BPS\0\x01" + bytes(20), "a Photoshop file"),
        "song.mp3": (sound("mp3", "libmp3lame"), "an audio file (MP3"),
        "song.m4a": (sound("ipod", "aac"), "an audio file (M4A)"),
        "song.ogg": (b"OggS\0\x02" + bytes(22) + b"\x01\x1e\x01vorbis", "an Ogg file"),
        "song.wav": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), "an audio file (WAV)"),
        "raw.cr2": (tiff((256, 3, 1, 5472), mark=b"CR\x02\0\0\0\0\0"), "(CR2), which is " + NOT_YET),
        "raw.cr3": (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "(CR3), which is " + NOT_YET),
        "raw.nef": (tiff((254, 4, 1, 1), maker, (330, 4, 2, 90), after=nikon), "(NEF), which is " + NOT_YET),
        "raw.arw": (tiff((254, 4, 1, 1), sony, (330, 4, 1, 90), after=b"SONY\0"), "(ARW), which is " + NOT_YET),
        "raw.dng": (tiff((254, 4, 1, 1), (50706, 1, 4, 0x0401)), "(DNG), which is " + NOT_YET),
        "raw.raf": (b"FUJIFILMCCD-RAW 0201FF383501" + bytes(100), "(RAF), which is " + NOT_YET),
        "raw.orf": (b"IIRO\x08\0\0\0" + bytes(100), "(ORF), which is " + NOT_YET),
        "raw.rw2": (b"IIU\0\x18\0\0\0" + bytes(100), "(RW2), which is " + NOT_YET),
    }  # fmt: skip


def _photos(photo: bytes) -> dict[str, tuple[bytes, str]]:
    bomb = zipped(1024)
    broken = bytearray(saved("PNG", size=(320, 240)))
    broken[60:120] = b"\xff" * 60
    return {
        "cut.jpg": (photo[: len(photo) // 2], CUT),
        "cut.png": (saved("PNG")[:80], CUT),
        "cut.heic": (saved("HEIF")[:-60], CUT),
        "broken.png": (bytes(broken), DAMAGED),
        "claims.png": (png(50_000, 50_000), LARGE),
        "claims more.png": (png(2_000_000_000, 2_000_000_000), LARGE),
        "claims.jpg": (jpeg(size=(65_500, 65_500)), LARGE),
        "claims.gif": (gif(65_535, 65_535), LARGE),
        "claims.bmp": (bmp(50_000, 50_000), LARGE),
        "claims.tif": (large_tiff(100_000, 100_000), LARGE),
        "claims packed.tif": (large_tiff(4_000_000_000, 4_000_000_000, 8), LARGE),
        "claims.webp": (webp(16_383, 16_383), LARGE),
        "claims moving.webp": (webp_animation(16_777_216, 16_777_216, 2), LARGE),
        "claims.heic": (resized_boxes("HEIF", (60_000, 60_000)), LARGE),
        "claims.avif": (resized_boxes("AVIF", (60_000, 60_000)), LARGE),
        "many frames.gif": (gif(64, 48, 100_000), ""),
        "many frames.webp": (webp_animation(64, 48, 20_000), ""),
        "text bomb.png": (whole_png(chunk(b"zTXt", b"x\0\0" + bomb)), DAMAGED),
        "more text bombs.png": (whole_png(chunk(b"iTXt", b"x\0\x01\0\0\0" + bomb) * 3), DAMAGED),
        "profile bomb.png": (whole_png(chunk(b"iCCP", b"x\0\0" + bomb)), DAMAGED),
        "profile claims.jpg": (jpeg((0xE2, b"ICC_PROFILE\0\x01\x01" + profile(1 << 30))), ""),
        "exif loop.jpg": (jpeg((0xE1, exif_loop())), ""),
        "exif full.jpg": (jpeg((0xE1, exif_of_65535_entries())), ""),
        "loop.tif": (tiff_loop(), ""),
        "other codec.heic": (heif_of(b"vvc1"), "cannot unpack"),
        "film codec.heic": (heif_of(b"avc1"), "cannot unpack"),
        "no such codec.heic": (heif_of(b"zz99"), "cannot unpack"),
    }  # fmt: skip


def _videos(mp4: bytes) -> dict[str, tuple[bytes, str]]:
    return {
        "cut.mp4": (mp4[: len(mp4) // 2], CUT),
        "cut.webm": (film("webm", "libvpx-vp9")[:-200], CUT),
        "noise.mp4": (mp4[:48] + bytes(range(256)) * 20 + mp4[48:], CUT),
        "16k.avi": (huge_film(15_360, 8_640), LARGE),
        "16k.mp4": (huge_claim(15_360, 8_640), ""),
        "16k.mkv": (huge_matroska(15_360, 8_640), LARGE),
        "days.mp4": (long_claim(10_000), ""),
        "edits.mp4": (edits(100_000), ""),
        "tracks.mp4": (tracks(5_000), LARGE),
        "samples.mp4": (samples(100_000_000), CUT),
        "fragment.mp4": (fragment(100_000_000), CUT),
        "sample.mp4": (samples(3, 0x7FFFFFF0), CUT),
        "locked.mp4": (protected(mp4), "protected"),
        "locked.m4v": (protected(mp4, b"drmi"), "protected"),
        "locked.webm": (encrypted_webm(), "protected"),
        "song.mp4": (sound("mp4", "aac"), "sound but no pictures"),
        "song.mkv": (sound("matroska", "aac"), "sound but no pictures"),
    }
