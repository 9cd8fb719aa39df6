"""Whatever bytes come, only MediaError comes out: files cut at any byte, and mutated ones. `make fuzz` does more."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.errors import MediaError
from appliance.media import photo, probe, video
from mutations import mutated

PHOTOS = ("JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "AVIF", "HEIC")
VIDEOS = (
    ("a.mp4", "libx264", {"movflags": "faststart"}),
    ("b.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mov", "libx265", {}),
    ("a.mkv", "libsvtav1", {}),
    ("a.webm", "libvpx-vp9", {"live": "1"}),
    ("a.avi", "mpeg4", {}),
    ("a.3gp", "mpeg4", {}),
)
shares = st.floats(0, 1, exclude_max=True)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**32)


def outcome(step: Callable[[], object]) -> str:
    """Run `step` and return what the owner of the box is told, or "fine"; only a MediaError is caught."""
    try:
        step()
    except MediaError as error:
        return error.message and error.next_step
    return "fine"


def describe_photo(path: Path, folder: Path) -> None:
    assert outcome(lambda: probe.probe(path))
    assert outcome(lambda: photo.load(path, 32))
    assert outcome(lambda: photo.thumbnails(path, folder))


def describe_video(path: Path, folder: Path) -> None:
    assert outcome(lambda: probe.probe(path))
    assert outcome(lambda: video.frames(path, 3, 32))
    assert outcome(lambda: video.poster(path, folder))


@pytest.fixture(params=PHOTOS)
def photo_data(request, photo_bytes):
    return photo_bytes[request.param]


@pytest.fixture(params=VIDEOS, ids=lambda made: f"{made[0]}-{made[1]}")
def video_data(request, film):
    name, codec, container = request.param
    return film(name, codec, seconds=0.3, size=(64, 48), container=container).read_bytes()


@few
@example(0.0)
@given(shares)
def test_photos_cut_anywhere(photo_data, tmp_path, share):
    (tmp_path / "a").write_bytes(photo_data[: int(len(photo_data) * share)])
    describe_photo(tmp_path / "a", tmp_path / "derived")


@few
@given(seeds)
def test_photos_with_changed_bytes(photo_data, tmp_path, seed):
    (tmp_path / "a").write_bytes(mutated(photo_data, seed))
    describe_photo(tmp_path / "a", tmp_path / "derived")


@few
@example(0.0)
@given(shares)
def test_videos_cut_anywhere(video_data, tmp_path, share):
    (tmp_path / "a").write_bytes(video_data[: int(len(video_data) * share)])
    describe_video(tmp_path / "a", tmp_path / "derived")


@few
@given(seeds)
def test_videos_with_changed_bytes(video_data, tmp_path, seed):
    (tmp_path / "a").write_bytes(mutated(video_data, seed))
    describe_video(tmp_path / "a", tmp_path / "derived")
