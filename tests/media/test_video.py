from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from appliance.errors import DamagedMediaError, MediaTooLargeError, UnsupportedMediaError
from appliance.media import container, video
from appliance.media.video import frames, poster, still

RED, GREEN, BLUE = (220, 30, 30), (30, 180, 60), (40, 60, 220)
BLACK = (0, 0, 0)


def middle(image):
    return image.getpixel((image.width // 2, image.height // 2))


def check(found, expected):
    """Compare the colours and times of `found` with `expected`."""
    assert [at for at, _ in found] == pytest.approx([at for at, _ in expected], abs=0.11)
    for (_, image), (_, colour) in zip(found, expected, strict=True):
        assert image.mode == "RGB"
        np.testing.assert_allclose(middle(image), colour, atol=10)


@pytest.mark.parametrize(
    ("name", "codec", "gop"),
    [
        ("a.mp4", "libx264", None),
        ("a.mp4", "libx264", 10),
        ("a.m4v", "libx264", None),
        ("a.mov", "libx265", None),
        ("a.mkv", "libx265", 10),
        ("a.webm", "libvpx-vp9", None),
        ("a.webm", "libvpx-vp9", 10),
        ("a.mkv", "libsvtav1", None),
        ("a.mp4", "libsvtav1", 10),
        ("a.mp4", "mpeg4", 10),
        ("a.avi", "mpeg4", 10),
        ("a.3gp", "mpeg4", 10),
        ("a.mov", "mjpeg", None),
    ],
)
def test_each_scene_is_found_at_its_time(film, name, codec, gop):
    path = film(name, codec, gop=gop, prepare=_full_range if codec == "mjpeg" else None)
    check(frames(path, 8, 60), [(0, RED), (2, GREEN), (4, BLUE)])


def test_a_cut_between_key_frames_is_seen_at_the_next_one(film):
    found = frames(film("a.webm", "libvpx-vp9", gop=15), 8, 60)
    check(found, [(0, RED), (3, GREEN), (4.5, BLUE)])


def _full_range(stream):
    stream.pix_fmt = "yuvj420p"


def test_pictures_are_as_small_as_asked(film):
    path = film("a.mp4", size=(320, 180))
    assert {image.size for _, image in frames(path, 3, 90)} == {(160, 90)}
    assert {image.size for _, image in frames(path, 3, 5000)} == {(320, 180)}
    assert {image.size for _, image in frames(path, 3, 1)} == {(2, 1)}


def test_not_more_than_asked(film):
    path = film(
        "a.mp4", scenes=[(60 + 60 * (i % 4), 40 * (i % 5), 250 * (i % 2)) for i in range(12)], seconds=1, gop=10
    )
    assert len(frames(path, 8, 60)) == 8
    assert len(frames(path, 1, 60)) == 1
    assert [at for at, _ in frames(path, 20, 60)] == pytest.approx(list(range(12)), abs=0.01)


def test_a_video_that_does_not_change_gives_one(film):
    check(frames(film("a.mp4", scenes=[RED], seconds=8, gop=10), 8, 60), [(0, RED)])


def test_black_is_left_out_unless_all_is_black(film):
    check(frames(film("a.mp4", scenes=[BLACK, RED, BLACK], gop=10), 8, 60), [(2, RED)])
    check(frames(film("b.mp4", scenes=[BLACK]), 8, 60), [(0, BLACK)])


def test_only_key_frames_are_decoded_where_there_are_enough(film, monkeypatch):
    path = film("a.mp4", gop=10)

    def never(*_):
        raise AssertionError("decoded between key frames")

    monkeypatch.setattr(container.Video, "all_frames", never)
    check(frames(path, 8, 60), [(0, RED), (2, GREEN), (4, BLUE)])


def test_one_key_frame_for_a_long_film_is_decoded_within_the_budget(film, monkeypatch):
    path = film("a.mp4", gop=1000, seconds=3)
    monkeypatch.setattr(video, "BETWEEN_PIXELS", 160 * 120 * 35)
    check(frames(path, 8, 60), [(0, RED), (3, GREEN)])


def test_the_budget_is_shared_by_the_stretches_between_key_frames(film, monkeypatch):
    path = film("a.mp4", gop=40, scenes=[RED, GREEN, BLUE, RED], seconds=4)
    monkeypatch.setattr(video, "BETWEEN_PIXELS", 0)
    check(frames(path, 8, 60), [(0, RED), (4, GREEN), (8, BLUE), (12, RED)])


def test_a_long_video_is_sampled_not_read(film, monkeypatch):
    path = film("a.mp4", gop=1, rate=10, seconds=20, scenes=[RED, GREEN, BLUE])
    seen = []
    real = container.Video.key_frame
    monkeypatch.setattr(container.Video, "key_frame", lambda self, at: seen.append(at) or real(self, at))
    found = frames(path, 4, 60)
    assert len(seen) <= 20  # of 600
    check([(20 * round(at / 20), image) for at, image in found], [(0, RED), (20, GREEN), (40, BLUE)])


def test_a_large_file_without_an_index_is_sampled_by_seeking(film, monkeypatch):
    path = film("a.mkv", gop=5, rate=5)
    monkeypatch.setattr(container, "_SCANNED_PACKETS", 3)
    with container.opened(path) as opened:
        assert len(opened.key_times()) == 64
    check(frames(path, 8, 60), [(0, RED), (2, GREEN), (4, BLUE)])


def test_fragmented_mp4(film):
    path = film("a.mp4", gop=10, container={"movflags": "frag_keyframe+empty_moov"})
    check(frames(path, 8, 60), [(0, RED), (2, GREEN), (4, BLUE)])


def test_a_stream_without_duration_or_index(film):
    check(
        frames(film("a.webm", "libvpx-vp9", gop=10, container={"live": "1"}), 8, 60), [(0, RED), (2, GREEN), (4, BLUE)]
    )


@pytest.mark.parametrize(
    ("rotation", "size", "colours"),
    [(0, (96, 64), "rgby"), (90, (64, 96), "gyrb"), (180, (96, 64), "ybgr"), (-90, (64, 96), "bryg")],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_rotation_is_applied(film, corners, corner_names, name, rotation, size, colours):
    path = film(name, scenes=[corners], size=(96, 64), seconds=0.5, rotation=rotation)
    image = frames(path, 1, 64)[0][1]
    assert (image.size, corner_names(image)) == (size, colours)


@pytest.mark.parametrize(("flips", "colours"), [({"hflip": True}, "gryb"), ({"vflip": True}, "byrg")])
def test_mirrored_videos_are_mirrored_back(film, corners, corner_names, flips, colours):
    def mirror(stream):
        stream.set_display_rotation(0, **flips)

    image = frames(film("a.mp4", scenes=[corners], size=(96, 64), seconds=0.5, prepare=mirror), 1, 64)[0][1]
    assert corner_names(image) == colours


def test_a_turned_and_mirrored_video(film, corners, corner_names):
    def mirror(stream):
        stream.set_display_matrix([0, 65536, 0, 65536, 0, 0, 0, 0, 1 << 30])

    image = frames(film("a.mp4", scenes=[corners], size=(96, 64), seconds=0.5, prepare=mirror), 1, 64)[0][1]
    assert (image.size, corner_names(image)) == ((64, 96), "rbgy")


def test_pixels_that_are_not_square_are_stretched(film):
    def stretch(stream):
        stream.codec_context.sample_aspect_ratio = 2

    assert frames(film("a.mp4", seconds=0.3, prepare=stretch), 1, 60)[0][1].size == (160, 60)


@pytest.mark.parametrize(("space", "size"), [(1, (160, 120)), (5, (160, 120)), (2, (1280, 720)), (2, (160, 120))])
def test_colours_are_right_in_both_matrices(tmp_path, space, size):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.colorspace = space
        matrix = "itu709" if space == 1 or size[1] > 576 else "itu601"
        for _ in range(3):
            frame = av.VideoFrame.from_image(Image.new("RGB", size, GREEN))
            frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
            frame.colorspace = space
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    np.testing.assert_allclose(middle(frames(path, 1, 60)[0][1]), GREEN, atol=5)


def with_cover(source_path, path, kind, cover_bytes):
    """Copy the stream of `kind` into a file with a cover picture beside it."""
    with av.open(str(source_path)) as source, av.open(str(path), "w") as output:
        stream = next(one for one in source.streams if one.type == kind)
        copied = output.add_stream_from_template(stream)
        picture = output.add_stream("mjpeg", rate=1)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                output.mux(packet)
        cover = av.Packet(cover_bytes)
        cover.stream, cover.pts, cover.dts, cover.time_base = picture, 0, 0, Fraction(1, 1)
        output.mux(cover)
    return path


def test_a_cover_picture_is_not_the_film(film, tmp_path, photo_bytes):
    path = with_cover(film("a.mp4", seconds=0.5), tmp_path / "b.mp4", "video", photo_bytes["JPEG"])
    with av.open(str(path)) as made:
        assert len(made.streams.video) == 2
    check(frames(path, 8, 60), [(0, RED), (0.5, GREEN), (1, BLUE)])


def test_music_with_a_cover_is_no_video(sound, tmp_path, photo_bytes):
    path = with_cover(sound("a.mp4"), tmp_path / "b.mp4", "audio", photo_bytes["JPEG"])
    with pytest.raises(UnsupportedMediaError, match="sound but no pictures"):
        frames(path, 8, 60)


def test_a_poster_is_the_first_frame_that_shows_something(film, tmp_path):
    poster(film("a.mp4", scenes=[BLACK, GREEN, RED], gop=10), tmp_path / "derived")
    assert sorted(file.name for file in (tmp_path / "derived").iterdir()) == ["large.webp", "small.webp"]
    for name in ("small.webp", "large.webp"):
        with Image.open(tmp_path / "derived" / name) as image:
            assert image.size == (160, 120)
            np.testing.assert_allclose(middle(image.convert("RGB")), GREEN, atol=12)


def test_the_poster_of_a_black_video_is_black(film, tmp_path):
    poster(film("a.mp4", scenes=[BLACK], seconds=0.5), tmp_path)
    with Image.open(tmp_path / "small.webp") as image:
        np.testing.assert_allclose(middle(image.convert("RGB")), BLACK, atol=4)


def test_a_large_upright_poster(film, tmp_path):
    poster(film("a.mp4", scenes=[RED], size=(1920, 1080), seconds=0.2, rotation=-90), tmp_path)
    with Image.open(tmp_path / "large.webp") as large, Image.open(tmp_path / "small.webp") as small:
        assert (large.size, small.size) == ((900, 1600), (180, 320))


def test_stills_have_numbered_names(tmp_path):
    assert still(Image.new("RGB", (1280, 640)), tmp_path / "x", 3) == "frame-003.webp"
    with Image.open(tmp_path / "x" / "frame-003.webp") as image:
        assert image.size == (640, 320)


@pytest.mark.parametrize("call", [frames, poster])
def test_what_is_no_video_is_said_so(photo_bytes, sound, huge_film, film, tmp_path, call):
    def run(path):
        return call(path, 8, 60) if call is frames else call(path, tmp_path / "derived")

    (tmp_path / "a.mp4").write_bytes(photo_bytes["JPEG"])
    with pytest.raises(UnsupportedMediaError, match=r"a photo \(JPEG\)"):
        run(tmp_path / "a.mp4")
    with pytest.raises(UnsupportedMediaError, match="sound but no pictures"):
        run(sound("b.mp4"))
    with pytest.raises(MediaTooLargeError):
        run(huge_film)
    cut = film("c.mp4", seconds=0.5)
    cut.write_bytes(cut.read_bytes()[:-200])
    with pytest.raises(DamagedMediaError, match="ends too early"):
        run(cut)
    assert not (tmp_path / "derived").exists()


def test_a_video_whose_pictures_are_all_damaged(film):
    path = film("a.avi", "mpeg4", seconds=0.3)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"movi") + 4, data.index(b"idx1")
    at = start
    while at < end - 8:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        data[at + 8 : at + 8 + length] = bytes(length)
        at += 8 + length + length % 2
    path.write_bytes(data)
    with pytest.raises(DamagedMediaError):
        frames(path, 8, 60)


def test_a_hole_in_a_video_costs_only_its_moments(film):
    path = film("a.mkv", gop=10, seconds=2)
    data = bytearray(path.read_bytes())
    middle_of_file = len(data) // 2
    data[middle_of_file : middle_of_file + 300] = b"\xa5" * 300
    path.write_bytes(data)
    found = frames(path, 8, 60)
    np.testing.assert_allclose(middle(found[0][1]), RED, atol=10)


def test_a_frame_that_is_larger_than_its_header_says_is_refused(film, monkeypatch):
    path = film("a.mp4", size=(320, 240), seconds=0.5)
    data = path.read_bytes()
    # The header claims 16 x 16, the stream itself 320 x 240.
    path.write_bytes(data.replace((320).to_bytes(2, "big") + (240).to_bytes(2, "big"), b"\0\x10\0\x10"))
    monkeypatch.setattr(container, "MAX_FRAME_PIXELS", 10_000)
    with pytest.raises((MediaTooLargeError, DamagedMediaError)):
        frames(path, 1, 60)


def test_no_playlist_is_followed(tmp_path, film):
    target = film("a.mp4", seconds=0.3)
    for head in (b"ffconcat version 1.0\nfile a.mp4\n", b"#EXTM3U\n#EXTINF:1,\na.mp4\n"):
        (tmp_path / "list.mp4").write_bytes(head)
        with pytest.raises(UnsupportedMediaError, match="a text file"):
            frames(tmp_path / "list.mp4", 1, 60)
    assert target.exists()
