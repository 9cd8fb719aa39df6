import pytest
from PIL import ExifTags, Image

from appliance.errors import DamagedMediaError, MediaTooLargeError, UnsupportedMediaError
from appliance.media.probe import probe
from appliance.records import Facts, Kind


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Apple", "Apple iPhone 15", 6
    exif.get_ifd(ExifTags.IFD.Exif).update({36867: "2024:05:03 14:20:00", 36881: "+02:00"})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 13.56), 3: "W", 4: (11.0, 34.0, 31.68)})
    return exif


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.heic", "a.avif", "a.tif"])
def test_a_photo_tells_when_where_and_with_what_it_was_taken(saved, corners, name):
    exif = camera_exif()
    facts = probe(saved(corners, name, exif=exif.tobytes() if name in {"a.heic", "a.tif"} else exif))
    assert (facts.width, facts.height) == (64, 96)
    assert facts.taken_at == "2024-05-03T14:20:00+02:00"
    assert facts.camera == "Apple iPhone 15"
    assert facts.latitude == pytest.approx(48.1371, abs=1e-4)
    assert facts.longitude == pytest.approx(-11.5755, abs=1e-4)
    assert (facts.format.kind, facts.duration, facts.codec, facts.animated) == (Kind.PHOTO, None, None, False)


def test_a_photo_without_metadata(photo_bytes, tmp_path):
    for name, data in photo_bytes.items():
        (tmp_path / "a").write_bytes(data)
        facts = probe(tmp_path / "a")
        assert facts == Facts(facts.format, 96, 64)
        assert facts.format.name == name


def test_broken_exif_only_lacks_its_facts(saved, corners):
    whole = camera_exif().tobytes()
    for exif in (b"Exif\0\0nonsense", whole[:20], whole[:-20], whole[:30] + b"\xff" * 60, b"Exif\0\0MM\0*\0\0\xff\xff"):
        facts = probe(saved(corners, "a.jpg", exif=exif))
        assert sorted((facts.width, facts.height)) == [64, 96]


def test_exif_that_points_at_itself(saved, corners):
    directory = (
        (1).to_bytes(2, "little") + (0x8769).to_bytes(2, "little") + b"\x04\0\x01\0\0\0\x08\0\0\0" + b"\x08\0\0\0"
    )
    assert probe(saved(corners, "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0" + directory)).taken_at is None


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.avif"])
def test_an_animation_says_so(saved, corners, name):
    assert probe(saved(corners, name, save_all=True, append_images=[corners.rotate(180)])).animated


def test_a_photo_that_can_never_be_decoded_is_refused_at_once(saved):
    path = saved(Image.new("1", (20_000, 5_001)), "a.png")
    with pytest.raises(MediaTooLargeError, match="101 megapixels; this box can take 100"):
        probe(path)


def test_pages_are_no_animation(saved, corners):
    assert not probe(saved(corners, "a.tif", save_all=True, append_images=[corners])).animated


@pytest.mark.parametrize(
    ("name", "codec", "called"),
    [
        ("a.mp4", "libx264", "h264"),
        ("a.mov", "libx265", "hevc"),
        ("a.mkv", "libsvtav1", "av1"),
        ("a.webm", "libvpx-vp9", "vp9"),
        ("a.avi", "mpeg4", "mpeg4"),
        ("a.3gp", "mpeg4", "mpeg4"),
    ],
)
def test_facts_of_a_video(film, name, codec, called):
    facts = probe(film(name, codec, seconds=1))
    assert (facts.format.kind, facts.width, facts.height, facts.codec) == (Kind.VIDEO, 160, 120, called)
    assert facts.duration == pytest.approx(3.0, abs=0.15)
    assert facts.taken_at is None


def test_a_video_tells_when_where_and_with_what_it_was_taken(film):
    tags = {
        "com.apple.quicktime.creationdate": "2024-05-03T14:20:00+0200",
        "com.apple.quicktime.location.ISO6709": "+48.1371+011.5754+519/",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 15",
        "creation_time": "2024-05-03T12:20:00Z",
    }
    facts = probe(film("a.mov", seconds=0.3, tags=tags, container={"movflags": "use_metadata_tags"}))
    assert (facts.taken_at, facts.camera) == ("2024-05-03T14:20:00+02:00", "Apple iPhone 15")
    assert (facts.latitude, facts.longitude) == (48.1371, 11.5754)


def test_a_video_with_only_its_clock_time(film):
    facts = probe(film("a.mp4", seconds=0.3, tags={"creation_time": "2024-05-03T12:20:00Z"}))
    assert facts.taken_at == "2024-05-03T12:20:00+00:00"


@pytest.mark.parametrize(
    ("rotation", "size"), [(0, (160, 120)), (90, (120, 160)), (180, (160, 120)), (-90, (120, 160))]
)
def test_a_video_has_the_size_it_is_shown_in(film, rotation, size):
    facts = probe(film("a.mp4", seconds=0.3, rotation=rotation))
    assert (facts.width, facts.height) == size


def test_pixels_that_are_not_square(film):
    def stretch(stream):
        stream.codec_context.sample_aspect_ratio = 2

    assert (probe(film("a.mp4", seconds=0.3, prepare=stretch)).width, 120) == (320, 120)


def test_a_video_without_a_duration_is_read_to_its_end(film):
    path = film("a.webm", "libvpx-vp9", seconds=1, container={"live": "1"})
    assert probe(path).duration == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_a_file_of_sound_alone(sound, name):
    with pytest.raises(UnsupportedMediaError, match="holds sound but no pictures") as caught:
        probe(sound(name))
    assert "MP4" in caught.value.next_step


def test_an_m4a(sound):
    path = sound("a.m4a")
    with pytest.raises(UnsupportedMediaError, match="audio file"):
        probe(path)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mov", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.3gp", "mpeg4")],
)
@pytest.mark.parametrize("container", [{}, {"movflags": "faststart"}], ids=["plain", "faststart"])
def test_a_video_cut_off_while_it_was_sent(film, name, codec, container):
    path = film(name, codec, seconds=0.5, container=container if name[-3:] in {"mp4", "mov", "3gp"} else {})
    data = path.read_bytes()
    for part in (0.2, 0.5, 0.95):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(DamagedMediaError, match=r"ends too early.*Send it again from the phone"):
            probe(path)


def test_a_video_of_absurd_size_is_refused_before_it_is_decoded(huge_film):
    with pytest.raises(MediaTooLargeError) as caught:
        probe(huge_film)
    assert "8192 x 4608" in caught.value.message


def protected(data: bytes) -> bytes:
    """An MP4 whose film is marked as encrypted, as shops and cameras with copy protection mark it."""
    mark = b"\0\0\0\x14sinf" + b"\0\0\0\x0cfrmaavc1"
    entry = data.rindex(b"avc1")
    end = entry - 4 + int.from_bytes(data[entry - 4 : entry], "big")
    grown = bytearray(data[:entry] + b"encv" + data[entry + 4 : end] + mark + data[end:])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"encv"):
        at = grown.rindex(box) - 4
        grown[at : at + 4] = (int.from_bytes(grown[at : at + 4], "big") + len(mark)).to_bytes(4, "big")
    return bytes(grown)


def test_an_encrypted_video_is_said_to_be_protected(film):
    path = film("a.mp4", seconds=0.3)
    path.write_bytes(protected(path.read_bytes()))
    with pytest.raises(UnsupportedMediaError, match="protected"):
        probe(path)


def test_an_unknown_codec_is_said_so(film):
    path = film("a.avi", "mpeg4", seconds=0.3)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"ZZ99"))
    with pytest.raises(UnsupportedMediaError, match="cannot unpack"):
        probe(path)


def test_empty_and_text_files(tmp_path):
    path = tmp_path / "a.mp4"
    for data, words in ((b"", "is empty"), (bytes(1 << 20), "nothing but zeros"), (b"hello", "a text file")):
        path.write_bytes(data)
        with pytest.raises(UnsupportedMediaError, match=words):
            probe(path)


def test_a_photo_of_two_gigabytes(saved, corners):
    path = saved(corners, "a.heic")
    with path.open("r+b") as file:
        file.truncate(2 << 30)
    with pytest.raises(MediaTooLargeError, match="1 GB"):
        probe(path)


def test_a_sparse_file_of_four_gigabytes(tmp_path):
    with (tmp_path / "a.mp4").open("wb") as file:
        file.truncate(4 << 30)
    with pytest.raises(UnsupportedMediaError, match="zeros"):
        probe(tmp_path / "a.mp4")


# Matroska's tags have other names there; that they are read at all is what could fail.
@pytest.mark.parametrize(("name", "camera"), [("a.mov", "\ufffd\ufffd\ufffd\ufffd iPhone 15"), ("a.mkv", None)])
def test_a_video_whose_tags_are_not_utf_8(film, name, camera):
    tags = {"title": "XXXX", "com.apple.quicktime.make": "YYYY", "com.apple.quicktime.model": "iPhone 15"}
    path = film(name, seconds=0.3, tags=tags, container={"movflags": "use_metadata_tags"} if name == "a.mov" else {})
    data = path.read_bytes()
    assert b"XXXX" in data
    assert b"YYYY" in data
    path.write_bytes(data.replace(b"XXXX", b"\xff\xfe\xc3\x28").replace(b"YYYY", b"\xe9\xe8\xff\xf0"))
    facts = probe(path)
    assert (facts.width, facts.camera) == (160, camera)
