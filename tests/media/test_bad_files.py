"""Files that mean harm, opened where the appliance opens them: in its child, with the sample model.

Each is described all the same or refused with a sentence and a next step; none leaves anything behind, outlives its
deadline, ends the child or lets it grow.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image

import bad_files
from appliance import settings as settings_module
from appliance.errors import MediaTooLargeError, ShoeboxError, UnsupportedMediaError
from appliance.media import boxes, photo, probe
from appliance.media.formats import sniff
from appliance.work.child import Child
from box import peak_megabytes

# The sample model alone takes 110 MB. Each of these files is a few kilobytes of real pixels and claims gigabytes: one
# claim that is believed goes far beyond this, the few megabytes of what they hold never reach it.
MOST_MEGABYTES = 320
FILES = {name: bad for name, bad in bad_files.bad_files().items() if not bad.status}
REFUSED = {name: bad for name, bad in bad_files.bad_files().items() if bad.status == 415}


@dataclass
class Opened:
    """A child, and what was answered to each file: the sentence, or "" where it was described."""

    child: Child
    folder: Path
    first: int | None = None
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)

    def open(self, name: str, data: bytes) -> tuple[str, str]:
        path = self.folder / "file"
        path.write_bytes(data)
        kind = sniff(data[:65536]).kind
        derived = self.folder / "derived"
        told = []
        for step in (self.child.prepare, self.child.describe):
            try:
                step(path, kind, derived)
                told.append("")
            except ShoeboxError as error:
                told.append(f"{error.message} {error.next_step}" if error.message and error.next_step else "half told")
        self.first = self.first or self.child.pid
        self.answers[name] = (told[0], told[1])
        return self.answers[name]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("bad")
    given = settings_module.load(environment={}, file=folder / "none", overrides={"data": str(folder), "threads": 1})
    with Child(replace(given, processing_timeout=60)) as child:
        yield Opened(child, folder)


@pytest.mark.parametrize("name", FILES)
def test_each_is_described_all_the_same_or_refused_in_a_sentence(opened: Opened, name: str) -> None:
    bad = FILES[name]
    for said in opened.open(name, bad.data):
        assert (bad.says in said) if bad.says else not said
        assert "half told" not in said
        assert "took longer" not in said
        assert "unexpectedly" not in said
    left = [path.name for path in (opened.folder / "derived").glob("**/*") if not path.name.endswith(".webp")]
    assert left == []


def test_after_all_of_them_it_is_the_same_child_and_has_not_grown(opened: Opened) -> None:
    for name, bad in FILES.items():  # where a subset was asked for, or another order
        if name not in opened.answers:
            opened.open(name, bad.data)
    assert opened.child.pid == opened.first
    assert opened.child.pid is not None
    assert peak_megabytes(opened.child.pid) < MOST_MEGABYTES


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_photo_or_video_is_told_by_its_first_bytes(name: str) -> None:
    with pytest.raises(UnsupportedMediaError) as caught:
        sniff(REFUSED[name].data[:65536])
    assert REFUSED[name].says in caught.value.message
    assert caught.value.next_step


def float_tiff(width: int, height: int) -> bytes:
    return bad_files.tiff(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 32), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
        (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 4 * width * height), (339, 3, 1, 3), after=bytes(300),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "most"),
    [(bad_files.webp(7_100, 7_100), 50), (float_tiff(6_400, 6_400), 40), (bad_files.png(10_100, 10_000), 100)],
    ids=["WebP", "TIFF of floats", "PNG"],
)
def test_a_kind_that_takes_more_memory_for_each_pixel_may_have_fewer(tmp_path: Path, data: bytes, most: int) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(MediaTooLargeError, match=f"megapixels; this box can take {most}"):
        probe.probe(tmp_path / "a")


def test_an_ink_photo_that_cannot_be_decoded_small_may_have_fewer_pixels(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(photo, "_DECODED_BYTES", 12 * 640 * 480 - 1)
    for progressive in (False, True):
        Image.new("CMYK", (640, 480)).save(tmp_path / "a", "JPEG", progressive=progressive)
        if progressive:
            with pytest.raises(MediaTooLargeError):
                photo.load(tmp_path / "a", 64)
        else:
            assert photo.load(tmp_path / "a", 64).size


def test_a_whole_heif_says_how_it_is_packed_and_how_large_it_is(tmp_path: Path) -> None:
    for form, packing in (("HEIF", b"hvc1"), ("AVIF", b"av01")):
        (tmp_path / "a").write_bytes(bad_files.saved(form, size=(128, 64)))
        assert boxes.packings(tmp_path / "a") == {packing}
        assert boxes.claimed_pixels(tmp_path / "a") == 128 * 64
    (tmp_path / "a").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert (boxes.packings(tmp_path / "a"), boxes.claimed_pixels(tmp_path / "a")) == (set(), 0)


def test_an_index_that_claims_no_more_than_there_is_is_believed(tmp_path: Path) -> None:
    for data, wrong in (
        (bad_files.film("mp4", "libx264"), False),
        (bad_files.film("mov", "libx264"), False),
        (bad_files.sound("mov", "pcm_s16le"), False),
        (bad_files.film("mp4", "libx264", movflags="frag_keyframe+empty_moov"), False),
        (bad_files.samples(100_000_000), True),
        (bad_files.fragment(100_000_000), True),
    ):
        (tmp_path / "a").write_bytes(data)
        assert boxes.claims_too_much(tmp_path / "a") is wrong


def test_the_zip_bomb_of_these_tests_is_one() -> None:
    whole = zlib.decompressobj()
    assert whole.decompress(bad_files.zipped(3)) == bytes(3 << 20)
    assert whole.eof
    assert struct.pack(">I", zlib.adler32(bytes(3 << 20))) == bad_files.zipped(3)[-4:]
