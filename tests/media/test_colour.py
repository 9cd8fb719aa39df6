import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from appliance.media.photo import load


def pixel(path, at=(0, 0), size=64):
    image = load(path, size)
    assert image.mode == "RGB"
    assert image.info == {}
    return image.getpixel(at)


def profile(space: bytes, kind: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile, version 2, of ready-made tags."""
    table, data = b"", b""
    for name, body in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    body = struct.pack(">I", len(tags)) + table + data
    header = struct.pack(">I4sI4s4s4s", 128 + len(body), b"lcms", 0x02400000, kind, space, pcs)
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0") + struct.pack(
        ">3I", 0xF6D6, 0x10000, 0xD32D
    )
    return header.ljust(128, b"\0") + body


def text(words: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(words) + 1) + words + b"\0" + bytes(78)


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def rgb_profile(name: bytes, red, green, blue) -> bytes:
    curve = gamma(2.2)
    tags = {b"desc": text(name), b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(0.9642, 1, 0.8249)}
    tags |= {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue)}
    return profile(b"RGB ", b"mntr", b"XYZ ", tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


# The colorants as Apple's own profile has them, adapted to D50.
DISPLAY_P3 = rgb_profile(
    b"Display P3", (0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)
)


def cmyk_profile(lab_of_node) -> bytes:
    """A press profile with a table of two steps an ink; `lab_of_node` gives L, a, b of full or no ink."""
    identity = bytes(range(256))
    nodes = b""
    for node in range(16):
        lightness, a, b = lab_of_node(tuple((node >> shift) & 1 for shift in (3, 2, 1, 0)))
        nodes += bytes((round(lightness * 2.55), a + 128, b + 128))
    matrix = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + identity * 4 + nodes + identity * 3
    tags = {
        b"desc": text(b"Test press"),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"A2B0": table,
    }
    return profile(b"CMYK", b"prtr", b"Lab ", tags)


@pytest.mark.parametrize(("name", "form"), [("a.png", "PNG"), ("a.tif", "TIFF")])
def test_sixteen_bit_grey_is_scaled_not_cut(saved, name, form):
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16)[None, :].repeat(256, axis=0)
    got = np.asarray(load(saved(Image.fromarray(ramp), name, form), 256))
    assert got.shape == (256, 256, 3)
    np.testing.assert_array_equal(got[0, :, 0], np.rint(ramp[0] / 257))
    np.testing.assert_array_equal(got[..., 0], got[..., 2])


def test_big_endian_sixteen_bit_tiff(saved):
    image = Image.frombytes("I;16B", (2, 2), np.array([0, 20560, 40000, 65535], dtype=">u2").tobytes())
    got = np.asarray(load(saved(image, "a.tif"), 2))
    assert got[..., 0].tolist() == [[0, 80], [156, 255]]


def test_sixteen_bit_tiff_with_white_as_zero(saved):
    path = saved(Image.fromarray(np.full((2, 2), 65535, dtype=np.uint16)), "a.tif", tiffinfo={262: 0})
    data = path.read_bytes()
    entry = data.index(struct.pack("<HHI", 262, 3, 1))
    path.write_bytes(data[: entry + 8] + b"\0\0" + data[entry + 10 :])
    assert pixel(path) == (0, 0, 0)


def test_twelve_bit_tiff_fills_the_range(tmp_path):
    # Two values of twelve bits in three bytes: 0 and 4095.
    tags = ((256, 2), (257, 1), (258, 12), (259, 1), (262, 1), (273, 200), (277, 1), (278, 1), (279, 3))
    entries = b"".join(struct.pack("<HHII", tag, 4 if tag in {273, 279} else 3, 1, value) for tag, value in tags)
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    (tmp_path / "a.tif").write_bytes(data.ljust(200, b"\0") + b"\x00\x0f\xff")
    got = load(tmp_path / "a.tif", 1)
    assert [got.getpixel((x, 0))[0] for x in (0, 1)] == [0, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0, 0.25], [0, 128, 255, 64]),
        ([0.0, 128.0, 255.0, 64.0], [0, 128, 255, 64]),
        ([0.0, 65535.0, 32896.0, 257.0], [0, 255, 128, 1]),
        ([-1.0, 0.0, 1.0, 3.0], [0, 64, 128, 255]),
        ([0.0, 1e6, 5e5, 0.0], [0, 255, 128, 0]),
        ([float("nan"), float("inf"), 1.0, 0.0], [0, 0, 255, 0]),
        ([7.0, 7.0, 7.0, 7.0], [7, 7, 7, 7]),
    ],
)
def test_float_tiff(saved, values, expected):
    image = Image.fromarray(np.array(values, dtype=np.float32).reshape(2, 2))
    got = np.asarray(load(saved(image, "a.tif"), 2))[..., 0].ravel()
    np.testing.assert_allclose(got, expected, atol=1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 128, 255], [0, 1, 128, 255]),
        ([0, 257, 32896, 65535], [0, 1, 128, 255]),
        ([-100, 0, 0, 100], [0, 128, 128, 255]),
    ],
)
def test_whole_number_tiff(saved, values, expected):
    image = Image.fromarray(np.array(values, dtype=np.int32).reshape(2, 2))
    got = np.asarray(load(saved(image, "a.tif"), 2))[..., 0].ravel()
    np.testing.assert_allclose(got, expected, atol=1)


@pytest.mark.parametrize(
    ("ink", "expected"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((255, 0, 255, 0), (0, 255, 0)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 128), (127, 127, 127)),
    ],
)
def test_cmyk(saved, ink, expected):
    image = Image.new("CMYK", (16, 16), ink)
    for path in (saved(image, "a.jpg", quality=95), saved(image, "a.tif")):
        np.testing.assert_allclose(pixel(path), expected, atol=3)


def test_cmyk_jpeg_that_no_adobe_program_wrote_is_not_inverted(saved):
    path = saved(Image.new("CMYK", (16, 16), (255, 255, 0, 255)), "a.jpg", quality=95)
    data = path.read_bytes()
    marker = data.index(b"\xff\xee")
    assert data[marker + 4 : marker + 9] == b"Adobe"
    length = int.from_bytes(data[marker + 2 : marker + 4], "big")
    path.write_bytes(data[:marker] + data[marker + 2 + length :])
    # Stored bytes are 0 for full ink in Adobe's files: read plainly they mean yellow alone.
    np.testing.assert_allclose(pixel(path), (255, 255, 0), atol=3)


def test_cmyk_by_its_press_profile(saved):
    def lab(ink):
        cyan, magenta, yellow, black = ink
        return (0, 0, 0) if black else (95 - 15 * (cyan + magenta + yellow), 60 * magenta - 30 * cyan, 60 * yellow)

    image = Image.new("CMYK", (16, 16), (0, 255, 0, 0))
    plain = pixel(saved(image, "plain.tif"))
    managed = pixel(saved(image, "managed.tif", icc_profile=cmyk_profile(lab)))
    expected = ImageCms.profileToProfile(
        Image.merge("LAB", [Image.new("L", (1, 1), value) for value in (204, 188, 128)]),
        ImageCms.createProfile("LAB"),
        ImageCms.createProfile("sRGB"),
        outputMode="RGB",
    ).getpixel((0, 0))
    assert plain == (255, 0, 255)
    np.testing.assert_allclose(managed, expected, atol=12)


def test_wide_gamut_becomes_srgb(saved):
    grey, red, sea = (128, 128, 128), (255, 0, 0), (60, 180, 170)
    for colour, expected in ((grey, grey), (red, (255, 0, 0)), (sea, (0, 183, 171))):
        path = saved(Image.new("RGB", (8, 8), colour), "a.png", icc_profile=DISPLAY_P3)
        np.testing.assert_allclose(pixel(path), expected, atol=4)


def test_wide_gamut_heic(saved):
    path = saved(Image.new("RGB", (64, 64), (60, 180, 170)), "a.heic", icc_profile=DISPLAY_P3, quality=95)
    np.testing.assert_allclose(pixel(path), (0, 183, 171), atol=8)


@pytest.mark.parametrize(
    "broken",
    [b"nonsense", DISPLAY_P3[:200], DISPLAY_P3[:300].ljust(len(DISPLAY_P3), b"\xff"), b"\0" * 4000, b"x" * (5 << 20)],
)
def test_a_broken_profile_changes_nothing(saved, broken):
    path = saved(Image.new("RGB", (8, 8), (60, 180, 170)), "a.jpg", quality=95, icc_profile=broken)
    np.testing.assert_allclose(pixel(path), (60, 180, 170), atol=3)


def test_a_profile_for_other_colours_changes_nothing(saved):
    grey = saved(Image.new("L", (8, 8), 90), "a.png", icc_profile=DISPLAY_P3)
    ink = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "b.tif", icc_profile=DISPLAY_P3)
    assert pixel(grey) == (90, 90, 90)
    assert pixel(ink) == (255, 0, 0)


def test_a_grey_profile_is_applied(saved):
    tags = {
        b"desc": text(b"Linear"),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"kTRC": gamma(1.0),
    }
    path = saved(Image.new("L", (8, 8), 55), "a.png", icc_profile=profile(b"GRAY", b"mntr", b"XYZ ", tags))
    np.testing.assert_allclose(pixel(path), (128, 128, 128), atol=3)


def test_srgb_profile_keeps_every_value(saved):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(Image.new("RGB", (8, 8), (1, 2, 3)), "a.png", icc_profile=srgb)
    assert pixel(path) == (1, 2, 3)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_alpha_is_laid_on_white(saved, form):
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 128))
    image.paste((0, 0, 255, 0), (0, 0, 32, 64))
    path = saved(image, "a." + form.lower(), form, **({"lossless": True} if form == "WEBP" else {"quality": 95}))
    np.testing.assert_allclose(pixel(path, (10, 32)), (255, 255, 255), atol=6)
    np.testing.assert_allclose(pixel(path, (54, 32)), (255, 127, 127), atol=6)


def test_scaled_down_alpha_has_no_dark_rim(saved):
    image = Image.new("RGBA", (800, 800), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (101, 101, 701, 701))
    assert np.asarray(load(saved(image, "a.png"), 40)).min() > 250


def test_grey_with_alpha(saved):
    np.testing.assert_allclose(pixel(saved(Image.new("LA", (8, 8), (0, 64)), "a.png")), (191, 191, 191), atol=1)


def test_palette_with_transparency(saved):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (0, 0, 4, 8))
    for path in (saved(image, "a.png", transparency=1), saved(image, "a.gif", transparency=1)):
        assert pixel(path, (1, 1)) == (255, 255, 255)
        assert pixel(path, (6, 1)) == (255, 0, 0)
    assert pixel(saved(image, "b.png", transparency=b"\x80\xff"), (6, 1)) == (255, 127, 127)
    assert pixel(saved(image, "c.bmp"), (1, 1)) == (0, 255, 0)


def test_transparent_colours_of_pictures_without_alpha(saved):
    red = saved(Image.new("RGB", (8, 8), (255, 0, 0)), "a.png", transparency=(255, 0, 0))
    grey = saved(Image.new("L", (8, 8), 9), "b.png", transparency=9)
    deep = saved(Image.fromarray(np.full((4, 4), 777, dtype=np.uint16)), "c.png", transparency=777)
    assert pixel(red) == pixel(grey) == pixel(deep) == (255, 255, 255)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_one_bit(saved, name):
    image = Image.new("1", (64, 64), 1)
    image.paste(0, (0, 0, 32, 64))
    path = saved(image, name)
    assert (pixel(path, (10, 10)), pixel(path, (50, 10))) == ((0, 0, 0), (255, 255, 255))


def test_lab_and_ycbcr_tiff(saved):
    lab = Image.merge("LAB", [Image.new("L", (8, 8), value) for value in (137, 128, 128)])
    np.testing.assert_allclose(pixel(saved(lab, "a.tif")), (128, 128, 128), atol=3)
    ycbcr = Image.new("RGB", (16, 16), (200, 30, 60)).convert("YCbCr")
    np.testing.assert_allclose(pixel(saved(ycbcr, "b.tif")), (200, 30, 60), atol=4)


def test_every_mode_that_pillow_has_becomes_rgb():
    from appliance.media.colour import eight_bit, rgb

    for mode in (*Image.MODES, "La", "RGBa", "PA", "I;16B", "I;16L"):
        image = Image.new(mode, (4, 4))
        plain = rgb(eight_bit(image))
        assert (plain.mode, plain.size) == ("RGB", (4, 4)), mode
        assert plain is not image


def test_ten_bit_heic(tmp_path):
    import pillow_heif

    ramp = np.linspace(0, 65535, 64, dtype=np.uint16)
    pixels = np.repeat(np.repeat(ramp[None, :, None], 64, axis=0), 3, axis=2)
    heif = pillow_heif.from_bytes("RGB;16", (64, 64), np.ascontiguousarray(pixels).tobytes())
    buffer = io.BytesIO()
    heif.save(buffer, quality=-1)
    (tmp_path / "a.heic").write_bytes(buffer.getvalue())
    got = np.asarray(load(tmp_path / "a.heic", 64))[32, :, 1].astype(int)
    np.testing.assert_allclose(got, ramp / 257, atol=6)
