"""Tags come from the words that say what is to be seen, and from facts of the file."""

import pytest

from appliance.caption.tags import tags
from appliance.caption.words import lemma
from appliance.records import Facts, Format, Kind, Source, Tag

REFUSAL = "this sample model only knows drawn shapes"
JPEG = Format(Kind.PHOTO, "image/jpeg", "JPEG")
MP4 = Format(Kind.VIDEO, "video/mp4", "MP4")
PHOTO = Facts(JPEG, 1600, 1200)
VIDEO = Facts(MP4, 1920, 1080, duration=12.0)


def texts(found: tuple[Tag, ...]) -> list[str]:
    return [tag.text for tag in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a large red circle left of a small blue star on a white background", "red circle blue star white"),
        ("a small gray cross above a large pink heart on a black background", "gray cross pink heart black"),
        ("there are two dogs sitting on the beach", "dog beach"),
        ("a woman sitting on the beach with her dog", "woman beach dog"),
        ("a photography of a woman and her dog", "woman dog"),
        ("a close up of a cat's face with green eyes", "cat face green eye"),
        ("a couple of people standing next to parked cars", "people car"),
        ("a black and white photo of a young boy wearing sunglasses", "black white young boy sunglasses"),
        ("two children playing with leaves in front of a building", "child play leaf building"),
        ("araffe dog in a t-shirt on a skateboard", "dog t-shirt skateboard"),
        ("", ""),
        ("1234 !!! ...", ""),
    ],
)
def test_content_words_become_tags_in_their_order(text: str, expected: str) -> None:
    assert texts(tags(text, PHOTO)) == expected.split()


def test_every_word_is_there_once_and_says_who_wrote_it() -> None:
    found = tags("dogs and a dog", PHOTO, frame_texts=["a dog", "a cat"])
    assert found == (Tag("dog", Source.MODEL), Tag("cat", Source.MODEL))


def test_facts_of_the_file_follow_the_words() -> None:
    facts = Facts(JPEG, 4000, 1500, taken_at="2024-05-03T14:20:00+02:00", camera="Fuji  X-T4")
    assert tags("a mountain", facts) == (
        Tag("mountain", Source.MODEL),
        Tag("panorama", Source.FILE),
        Tag("2024", Source.FILE),
        Tag("Fuji X-T4", Source.FILE),
    )


def test_a_tall_panorama_is_one_and_a_wide_video_is_none() -> None:
    assert texts(tags("", Facts(JPEG, 1000, 2000))) == ["panorama"]
    assert texts(tags("", Facts(MP4, 2000, 1000))) == ["video"]


def test_videos_and_animations_are_marked() -> None:
    gif = Facts(Format(Kind.PHOTO, "image/gif", "GIF"), 100, 100, animated=True)
    assert texts(tags("a star", gif)) == ["star", "animated"]
    assert texts(tags("First a star, then a heart.", VIDEO, frame_texts=["a star"])) == ["star", "heart", "video"]


@pytest.mark.parametrize("text", [REFUSAL, "This sample model only knows drawn shapes."])
def test_a_refusal_gives_no_words(text: str) -> None:
    facts = Facts(JPEG, 100, 100, taken_at="1999-01-01T00:00:00")
    assert texts(tags(text, facts, refusal=REFUSAL)) == ["1999"]


def test_a_refused_frame_gives_no_words() -> None:
    assert texts(tags("a red star", VIDEO, frame_texts=["a red star", REFUSAL], refusal=REFUSAL)) == [
        "red", "star", "video",
    ]  # fmt: skip


def test_words_are_kept_where_no_refusal_is_told() -> None:
    assert "shape" in texts(tags(REFUSAL, PHOTO))


@pytest.mark.parametrize("facts", [Facts(JPEG, 0, 0, taken_at="unknown", camera="  "), Facts(JPEG, 0, 5, taken_at="")])
def test_missing_and_odd_facts_give_no_tags(facts: Facts) -> None:
    assert tags("", facts) == ()


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("knives", "knife"), ("leaves", "leaf"), ("glasses", "glasses"), ("wine-glasses", "wine-glasses"),
        ("women", "woman"), ("geese", "goose"), ("crosses", "cross"), ("riding", "ride"), ("playing", "play"),
        ("painting", "painting"), ("teddy-bears", "teddy-bear"), ("christmas", "christmas"), ("qwzxy", "qwzxy"),
    ],
)  # fmt: skip
def test_words_are_brought_to_their_dictionary_form(word: str, form: str) -> None:
    assert lemma(word) == form
