"""The recogniser in the captioner child: what it adds, when it is asked, and that it never harms an item."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest
from PIL import Image

from appliance.caption.recognised import NOTHING
from appliance.errors import CaptionerError, ModelError, TooLittleMemoryError
from appliance.records import RECOGNISER, Kind, Source, Tag
from appliance.work.child import Child
from appliance.work.recognising import Recognising

COLOURS = {"red": (255, 0, 0), "purple": (128, 0, 128), "green": (0, 128, 0)}
ROSE, PLUM, COLOUR = (Tag(word, Source.RECOGNISER) for word in ("rose", "plum", "colour"))


@pytest.fixture
def data(child: Child) -> Iterator[Path]:
    """The shared child's data folder, with a recogniser in it; a child that knows none is ended before and after."""
    folder = child.settings.data
    child.close()
    (folder / "recogniser").write_text("there")
    yield folder
    child.close()
    for path in folder.iterdir():
        path.unlink()


def film(path: Path, *colours: str) -> Path:
    """Write a film that shows each colour for a second."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 96, 64, "yuv420p", 10
        for colour in colours:
            for _ in range(10):
                frame = av.VideoFrame.from_image(Image.new("RGB", (96, 64), COLOURS[colour]))
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_its_words_stand_beside_those_of_a_model_that_refuses_nothing(
    child: Child, data: Path, paint: Callable[[str], Path]
) -> None:
    (data / "model").write_text("full")
    described = child.describe(paint("red"), Kind.PHOTO, None)
    assert (described.text, described.model) == ("a red picture", "full")
    assert described.tags == (Tag("red", Source.MODEL), ROSE, COLOUR)


def test_what_a_sample_knows_is_left_to_it(child: Child, data: Path, paint: Callable[[str], Path]) -> None:
    described = child.describe(paint("red"), Kind.PHOTO, None)
    assert (described.text, described.model, described.tags) == ("a red picture", "fake", (Tag("red", Source.MODEL),))
    assert "recogniser" not in (data / "loads").read_text()  # not loaded before it is needed


def test_what_a_sample_refuses_is_described_cautiously(child: Child, data: Path, paint: Callable[[str], Path]) -> None:
    described = child.describe(paint("purple"), Kind.PHOTO, None)
    assert (described.text, described.model) == ("Perhaps a plum.", RECOGNISER)
    assert described.tags == (PLUM, COLOUR)


def test_what_nobody_knows_stays_refused(child: Child, data: Path, paint: Callable[[str], Path]) -> None:
    (data / "recogniser").write_text("there")
    assert child.describe(paint("purple"), Kind.PHOTO, None).model == RECOGNISER
    (data / "model").write_text("green refuser")
    refused = child.describe(paint("green"), Kind.PHOTO, None)
    assert (refused.text, refused.model, refused.tags) == ("a green picture", "green refuser", ())


def test_it_is_loaded_once_and_outlives_a_change_of_model(
    child: Child, data: Path, paint: Callable[[str], Path]
) -> None:
    assert child.describe(paint("purple"), Kind.PHOTO, None).model == RECOGNISER
    (data / "model").write_text("full")
    assert ROSE in child.describe(paint("red"), Kind.PHOTO, None).tags
    assert (data / "loads").read_text().split("\n").count("recogniser") == 1


def test_it_can_be_switched_off(child: Child, data: Path, paint: Callable[[str], Path]) -> None:
    off = replace(child.settings, recognise=False)
    described = child.describe(paint("purple"), Kind.PHOTO, None, settings=off)
    assert (described.text, described.model, described.tags) == ("a purple picture", "fake", ())
    assert child.describe(paint("purple"), Kind.PHOTO, None).model == RECOGNISER


@pytest.mark.parametrize("trouble", ["damaged", "missing"])
def test_where_it_cannot_be_loaded_items_are_described_without(
    child: Child, data: Path, paint: Callable[[str], Path], trouble: str
) -> None:
    if trouble == "damaged":
        (data / "recogniser").write_text("damaged")
    else:
        (data / "recogniser").unlink()
    for _ in range(2):
        described = child.describe(paint("purple"), Kind.PHOTO, None)
        assert (described.text, described.model, described.tags) == ("a purple picture", "fake", ())
    assert (data / "loads").read_text().count("recogniser") == (trouble == "damaged")  # tried once


def test_a_video_that_a_sample_refuses_is_told_by_its_moments(child: Child, data: Path, tmp_path: Path) -> None:
    (data / "model").write_text("blind")
    described = child.describe(film(tmp_path / "a.mp4", "red", "purple", "green"), Kind.VIDEO, tmp_path)
    assert (described.text, described.model) == ("Looks like a rose.", RECOGNISER)
    assert [frame.text for frame in described.frames] == ["Looks like a rose.", "Looks like a colour.", "a picture"]
    assert [bool(frame.thumbnail) for frame in described.frames] == [True, True, True]
    assert described.tags == (ROSE, COLOUR, Tag("video", Source.FILE))


def test_a_video_of_which_a_sample_knows_a_part_is_left_to_it(child: Child, data: Path, tmp_path: Path) -> None:
    described = child.describe(film(tmp_path / "a.mp4", "red", "purple"), Kind.VIDEO, None)
    assert (described.text, described.model) == ("a red picture", "fake")
    assert described.tags == (Tag("red", Source.MODEL), Tag("video", Source.FILE))


def test_a_video_described_by_a_full_model_gets_the_words_too(child: Child, data: Path, tmp_path: Path) -> None:
    (data / "model").write_text("full")
    described = child.describe(film(tmp_path / "a.mp4", "red", "green"), Kind.VIDEO, None)
    assert (described.text, described.model) == ("First a red picture, then a green picture.", "full")
    assert {ROSE, COLOUR} <= set(described.tags)
    assert PLUM not in described.tags


@pytest.mark.parametrize(
    "error", [CaptionerError("It failed."), TooLittleMemoryError(), MemoryError(), ModelError("It is damaged.")]
)
def test_a_picture_on_which_it_fails_is_one_of_which_nothing_is_known(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def recognise(self, picture: Image.Image) -> None:
            raise error

    recognising = Recognising(Failing)  # type: ignore[arg-type]
    assert recognising.look(Image.new("RGB", (8, 8))) == NOTHING
    assert "nothing is recognised" in caplog.text
