"""Whatever bytes come, only MediaError comes out: files cut at any byte, and files with some bytes changed."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.errors import MediaError
from appliance.media import photo, probe, video

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
mutations = st.tuples(st.integers(0, 2**32), st.integers(1, 30))


def mutated(data: bytes, seed: int, changes: int) -> bytes:
    rng = random.Random(seed)
    changed = bytearray(data)
    for _ in range(changes):
        # Headers matter most: half of the changes go there.
        at = rng.randrange(min(len(changed), 300) if rng.random() < 0.5 else len(changed))
        changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


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
@given(mutations)
def test_photos_with_changed_bytes(photo_data, tmp_path, mutation):
    (tmp_path / "a").write_bytes(mutated(photo_data, *mutation))
    describe_photo(tmp_path / "a", tmp_path / "derived")


@few
@example(0.0)
@given(shares)
def test_videos_cut_anywhere(video_data, tmp_path, share):
    (tmp_path / "a").write_bytes(video_data[: int(len(video_data) * share)])
    describe_video(tmp_path / "a", tmp_path / "derived")


@few
@given(mutations)
def test_videos_with_changed_bytes(video_data, tmp_path, mutation):
    (tmp_path / "a").write_bytes(mutated(video_data, *mutation))
    describe_video(tmp_path / "a", tmp_path / "derived")
