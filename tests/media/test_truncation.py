import pytest

from appliance.media.formats import sniff
from appliance.media.truncation import ends_early

CUTTABLE = ("JPEG", "PNG", "WebP", "HEIC", "AVIF")


def test_whole_photos_do_not_end_early(photo_bytes, tmp_path):
    for data in photo_bytes.values():
        (tmp_path / "a").write_bytes(data)
        assert not ends_early(tmp_path / "a", sniff(data))


@pytest.mark.parametrize("name", CUTTABLE)
def test_cut_photos_do(photo_bytes, tmp_path, name):
    data = photo_bytes[name]
    for left in (len(data) // 3, len(data) // 2, len(data) - 20):
        (tmp_path / "a").write_bytes(data[:left])
        assert ends_early(tmp_path / "a", sniff(data))


@pytest.mark.parametrize("name", CUTTABLE)
def test_what_apps_append_after_the_end_does_no_harm(photo_bytes, tmp_path, name):
    data = photo_bytes[name]
    (tmp_path / "a").write_bytes(data + b"SEFHe\0\0\0trailer of a phone" * 40)
    assert not ends_early(tmp_path / "a", sniff(data))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx-vp9"),
        ("a.avi", "mpeg4"),
        ("a.3gp", "mpeg4"),
    ],
)
def test_videos(film, name, codec):
    path = film(name, codec, seconds=0.3)
    data = path.read_bytes()
    format = sniff(data)
    assert not ends_early(path, format)
    for left in (len(data) // 3, len(data) // 2, len(data) - 20):
        path.write_bytes(data[:left])
        assert ends_early(path, format)


def test_a_video_cut_exactly_between_two_boxes(film):
    path = film("a.mp4", seconds=0.3)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"moov") - 4])
    assert ends_early(path, sniff(data))


def test_a_stream_without_a_length_is_whole(film):
    path = film("a.webm", "libvpx-vp9", seconds=0.3, container={"live": "1"})
    assert not ends_early(path, sniff(path.read_bytes()))


def test_an_avi_whose_camera_never_wrote_the_length_is_whole(film):
    path = film("a.avi", "mpeg4", seconds=0.3)
    data = path.read_bytes()
    path.write_bytes(data[:4] + bytes(4) + data[8:])
    assert not ends_early(path, sniff(data))


def test_fragments_are_whole(film):
    path = film("a.mp4", seconds=0.3, container={"movflags": "frag_keyframe+empty_moov"})
    assert not ends_early(path, sniff(path.read_bytes()))
