import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from appliance.errors import DamagedMediaError, MediaTooLargeError, StorageFullError, UnsupportedMediaError
from appliance.media import photo, stills
from appliance.media.photo import load, thumbnails

# How `corners` must lie in the file so that each EXIF orientation shows it upright.
LYING = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def oriented(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = value
    return exif


def png(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_every_orientation_is_shown_upright(saved, corners, corner_names, form, orientation):
    lying = corners if LYING[orientation] is None else corners.transpose(LYING[orientation])
    exif = oriented(orientation)
    # HEIC has its own turn, which libheif applies; given bytes, the encoder writes both, as phones do.
    path = saved(lying, "a." + form.lower(), form, exif=exif.tobytes() if form == "HEIF" else exif)
    assert form != "HEIF" or orientation == 1 or b"irot" in path.read_bytes() or b"imir" in path.read_bytes()
    shown = load(path, 64)
    assert (shown.size, corner_names(shown)) == ((96, 64), "rgby")


def test_in_a_heic_only_its_own_turn_counts(saved, corners, corner_names):
    path = saved(corners, "a.heic", exif=oriented(6))
    assert b"irot" not in path.read_bytes()
    assert corner_names(load(path, 64)) == "rgby"


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(saved, corners, corner_names, value):
    assert corner_names(load(saved(corners, "a.jpg", exif=oriented(value)), 64)) == "rgby"


def test_broken_exif_never_fails_a_photo(saved, corners, corner_names):
    whole = oriented(1).tobytes()
    for exif in (
        b"Exif\0\0nonsense",
        whole[:9],
        whole[:-3],
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0" + b"\xff" * 500,
    ):
        for name in ("a.jpg", "a.webp", "a.png", "a.heic"):
            assert corner_names(load(saved(corners, name, exif=exif), 64)) == "rgby"


def test_heic_works_in_a_process_that_has_registered_nothing(saved, corners):
    code = (
        "import sys, pathlib; from appliance.media.photo import load; print(load(pathlib.Path(sys.argv[1]), 64).size)"
    )
    command = [sys.executable, "-c", code, str(saved(corners, "a.heic"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "(96, 64)"


def test_every_format_loads(photo_bytes, tmp_path, corner_names):
    for name, data in photo_bytes.items():
        path = tmp_path / "picture.txt"
        path.write_bytes(data)
        shown = load(path, 32)
        assert (shown.mode, shown.size, corner_names(shown), shown.info) == ("RGB", (96, 64), "rgby", {}), name


def test_a_jpeg_is_decoded_at_reduced_size(saved, corners, corner_names, monkeypatch):
    path = saved(corners.resize((2400, 1600)), "a.jpg", exif=oriented(1))
    shown = load(path, 100)
    assert shown.size == (300, 200)
    assert corner_names(shown) == "rgby"
    # Only the reduced size counts against what may be decoded.
    monkeypatch.setattr(photo, "MAX_DECODED_PIXELS", 100_000)
    assert load(path, 100).size == (300, 200)
    with pytest.raises(MediaTooLargeError, match="megapixels"):
        load(path, 1600)


def test_a_progressive_jpeg_counts_in_full(saved, corners, monkeypatch):
    path = saved(corners.resize((2400, 1600)), "a.jpg", progressive=True)
    assert load(path, 100).size == (300, 200)
    monkeypatch.setattr(photo, "MAX_DECODED_PIXELS", 100_000)
    with pytest.raises(MediaTooLargeError):
        load(path, 100)


@pytest.mark.parametrize("name", ["a.png", "a.heic", "a.jpg"])
def test_the_shorter_side_keeps_what_was_asked(saved, corners, name):
    path = saved(corners.resize((901, 601)), name)
    for size in (1, 50, 63, 64, 400, 5000):
        shown = load(path, size)
        assert min(shown.size) >= min(size, 601)
        assert min(shown.size) <= max(4 * size, 4)
        assert abs(shown.width / shown.height - 901 / 601) < 0.5 if size < 10 else 0.02


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.avif"])
def test_the_first_frame_of_an_animation_is_shown(saved, corners, corner_names, name):
    path = saved(corners, name, save_all=True, append_images=[corners.rotate(180)], duration=100)
    assert corner_names(load(path, 64)) == "rgby"


def test_the_first_page_of_a_tiff_is_shown(saved, corners, corner_names):
    path = saved(corners, "a.tif", save_all=True, append_images=[corners.rotate(180)])
    assert corner_names(load(path, 64)) == "rgby"


def test_a_phone_jpeg_with_a_second_picture_inside(saved, corners, corner_names):
    path = saved(corners, "a.jpg", "MPO", save_all=True, append_images=[corners.rotate(180)])
    assert corner_names(load(path, 64)) == "rgby"


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"])
def test_compressed_tiffs(saved, corners, corner_names, compression):
    if compression == "group4":
        assert load(saved(Image.new("1", (64, 64)), "a.tif", compression=compression), 64).getpixel((5, 5)) == (0, 0, 0)
    else:
        assert corner_names(load(saved(corners, "a.tif", compression=compression), 64)) == "rgby"


def test_thumbnails_are_small_upright_and_bare(saved, corners, corner_names, tmp_path):
    exif = oriented(6)
    exif[271] = "Secret Camera"
    path = saved(corners.resize((2400, 1600)).transpose(LYING[6]), "a.jpg", exif=exif, comment=b"secret")
    folder = tmp_path / "ab" / "abcd"
    thumbnails(path, folder)
    assert sorted(file.name for file in folder.iterdir()) == ["large.webp", "small.webp"]
    for name, size in (("small.webp", (480, 320)), ("large.webp", (1600, 1067))):
        with Image.open(folder / name) as image:
            assert (image.format, image.size, corner_names(image)) == ("WEBP", size, "rgby")
            assert not set(image.info) & {"exif", "icc_profile", "xmp"}
        assert b"ecret" not in (folder / name).read_bytes()
        assert (folder / name).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("size", "small", "large"),
    [
        ((4000, 300), (1280, 96), (1600, 120)),
        ((200, 100), (200, 100), (200, 100)),
        ((1000, 1000), (320, 320), (1000, 1000)),
        ((60, 3000), (6, 320), (32, 1600)),
        ((1, 1), (1, 1), (1, 1)),
        ((6000, 1), (1280, 1), (1600, 1)),
    ],
)
def test_thumbnail_sizes(saved, tmp_path, size, small, large):
    thumbnails(saved(Image.new("RGB", size), "a.png"), tmp_path)
    for name, expected in (("small.webp", small), ("large.webp", large)):
        with Image.open(tmp_path / name) as image:
            assert image.size == expected


def test_a_full_disk_leaves_nothing_behind(saved, corners, tmp_path, monkeypatch):
    path = saved(corners, "a.jpg")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(stills.os, "fsync", full)
    with pytest.raises(StorageFullError):
        thumbnails(path, tmp_path / "derived")
    assert list((tmp_path / "derived").iterdir()) == []


def test_what_a_killed_attempt_left_is_removed_by_the_next(saved, corners, tmp_path, monkeypatch):
    path = saved(corners, "a.jpg")
    folder = tmp_path / "derived"
    with monkeypatch.context() as patch:
        patch.setattr(stills.os, "replace", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            thumbnails(path, folder)
    assert [left.suffix for left in folder.iterdir()] == [".part"]
    thumbnails(path, folder)
    assert sorted(made.name for made in folder.iterdir()) == ["large.webp", "small.webp"]


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_file(saved, corners, tmp_path):
    (tmp_path / "derived").write_text("a file in its place")
    with pytest.raises(FileExistsError):
        thumbnails(saved(corners, "a.jpg"), tmp_path / "derived")


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "HEIC", "AVIF"])
def test_a_photo_cut_off_while_it_was_sent(photo_bytes, tmp_path, name):
    data = photo_bytes[name]
    path = tmp_path / "a.jpg"
    for part in (0.3, 0.6) if name == "PNG" else (0.3, 0.6, 0.95):  # a PNG may lack its last few bytes
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(DamagedMediaError) as caught:
            load(path, 64)
        assert caught.value.message == "This file ends too early, probably cut off while it was sent."
        assert caught.value.next_step == "Send it again from the phone."


def test_a_damaged_photo_is_not_called_cut_off(photo_bytes, tmp_path):
    data = bytearray(photo_bytes["PNG"])
    at = data.index(b"IDAT") + 4
    data[at : at + 40] = b"\xff" * 40
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DamagedMediaError) as caught:
        load(tmp_path / "a.png", 64)
    assert "damaged" in caught.value.message


def test_a_text_file_named_jpg(tmp_path):
    (tmp_path / "a.jpg").write_text("not a picture")
    with pytest.raises(UnsupportedMediaError, match="a text file"):
        load(tmp_path / "a.jpg", 64)


def test_a_video_is_no_photo(film):
    with pytest.raises(UnsupportedMediaError, match=r"a video \(MP4\)"):
        load(film("a.mp4", seconds=0.2), 64)


def bmp(width: int, height: int) -> bytes:
    return (
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 200, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(146)
    )


def gif(width: int, height: int) -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00;"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6) + frame


def webp(width: int, height: int) -> bytes:
    frame = (
        b"VP8L" + struct.pack("<I", 10) + b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + bytes(5)
    )
    return b"RIFF" + struct.pack("<I", 4 + len(frame)) + b"WEBP" + frame


@pytest.mark.parametrize(
    "data",
    [
        png(50_000, 50_000),
        png(2_000_000_000, 2_000_000_000),
        png(20_000, 10_001),
        png(10_001, 10_000),
        png(10_001, 10_000, depth=16, colour=0),
        bmp(50_000, 50_000),
        gif(65_535, 65_535),
        gif(14_000, 14_000),
    ],
    ids=[
        "png",
        "png of 4e18",
        "png over the limit",
        "png over what is decoded",
        "16-bit png",
        "bmp",
        "gif",
        "gif over",
    ],
)
def test_decompression_bombs(tmp_path, data):
    path = tmp_path / "bomb"
    path.write_bytes(data)
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(MediaTooLargeError) as caught:
        load(path, 64)
    assert "smaller copy" in caught.value.next_step
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_bomb_of_a_jpeg_and_of_a_tiff(saved, corners, tmp_path):
    jpeg = bytearray(saved(corners, "a.jpg").read_bytes())
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 65500, 65500)
    tiff = bytearray(saved(corners, "a.tif").read_bytes())
    for tag in (256, 257):
        at = next(at for at in range(len(tiff)) if tiff[at : at + 2] == struct.pack("<H", tag) and tiff[at + 4] == 1)
        tiff[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 100_000)
    for data in (jpeg, tiff):
        (tmp_path / "bomb").write_bytes(data)
        with pytest.raises(MediaTooLargeError):
            load(tmp_path / "bomb", 64)


def test_pillows_own_limit_is_not_in_the_way_of_a_large_photo(saved):
    # 90 megapixels are above Pillow's warning, 180 above its error; a JPEG of them decodes small.
    path = saved(Image.new("L", (15_000, 12_100), 200), "a.jpg", quality=10)
    assert min(load(path, 64).size) >= 64


def test_a_profile_and_text_that_unpack_to_much_more(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    whole = io.BytesIO()
    Image.new("RGB", (4, 4)).save(whole, "PNG")
    data = whole.getvalue()
    for kind in (b"iCCP", b"zTXt"):
        bomb = chunk(kind, b"x\0\0" + zlib.compress(bytes(8 << 20), 9))
        (tmp_path / "a.png").write_bytes(data[:33] + bomb + data[33:])
        with pytest.raises((DamagedMediaError, MediaTooLargeError)):
            load(tmp_path / "a.png", 4)


def test_an_absent_file_and_a_failing_disk_are_no_fault_of_the_file(saved, corners, monkeypatch):
    with pytest.raises(FileNotFoundError):
        load(Path("nowhere.jpg"), 64)

    def failing(image: Image.Image) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = saved(corners, "a.jpg")
    monkeypatch.setattr(photo, "orientation", failing)
    with pytest.raises(OSError, match="Input/output"):
        load(path, 64)


def test_a_heif_packed_by_an_unknown_codec_is_said_so(photo_bytes, tmp_path):
    data = photo_bytes["HEIC"].replace(b"hvc1", b"vvc9")
    (tmp_path / "a.heic").write_bytes(data)
    with pytest.raises((UnsupportedMediaError, DamagedMediaError)):
        load(tmp_path / "a.heic", 64)


def test_a_noisy_photo_keeps_its_look_when_reduced(saved):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
    shown = np.asarray(load(saved(Image.fromarray(noise), "a.png"), 64)).astype(float)
    assert shown.shape == (128, 128, 3)
    assert abs(shown.mean() - 127.5) < 2
