"""The shipped recogniser gives the recorded answers, and labels add classes up into words."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from appliance.assets import asset
from appliance.caption.recognised import sentence
from appliance.caption.recogniser import Labels, Recogniser, prepared
from appliance.errors import CaptionerError, ModelError
from appliance.records import RECOGNISER

# The class with the highest score, the words said and what a description would be, for each shipped picture.
RECORDED = {
    "astronaut": (450, [], None),
    "bricks": (646, [], None),
    "cat": (285, ["cat", "animal"], "Looks like a cat."),
    "clock": (818, [], None),
    "coffee": (967, ["espresso", "coffee", "cup", "drink"], "Looks like a cup of espresso."),
    "galaxies": (111, [], None),
    "gravel": (599, [], None),
    "photographer": (872, [], None),
    "rocket": (540, [], None),
    "seeds": (985, [], None),
}
# Where the original itself wavers between two classes, a rounding more or less decides, and processors differ.
SURE = {"cat", "coffee", "photographer"}
CLASSES = [["poodle", "dog", "animal"], ["dog", "animal"], ["cat", "animal"], [], ["cup"]]


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.load(asset("models/recogniser"))


def labels(**about: object) -> Labels:
    usual: dict[str, object] = {
        "model": "x", "temperature": 1.0, "sure": 0.6, "likely": 0.8, "broad": {"animal": 0.9},
        "phrases": {"cup": "a cup of tea"}, "classes": CLASSES,
    }  # fmt: skip
    return Labels(**(usual | about))  # type: ignore[arg-type]


def scores(*probabilities: float) -> np.ndarray:
    return np.log(np.array(probabilities, dtype=np.float32))


def said(found: Labels, *probabilities: float) -> list[tuple[str, bool]]:
    return [(word.text, word.likely) for word in found.recognised(scores(*probabilities)).words]


@pytest.mark.parametrize("name", RECORDED)
def test_the_shipped_pictures_get_the_recorded_answers(recogniser: Recogniser, name: str) -> None:
    with Image.open(asset("models/pictures") / f"{name}.jpg") as picture:
        best, found = int(recogniser.scores(picture).argmax()), recogniser.recognise(picture)
    assert ([word.text for word in found.words], sentence([found])) == RECORDED[name][1:]
    assert best == RECORDED[name][0] or name not in SURE


def test_the_coffee_is_espresso_by_nine_tenths(recogniser: Recogniser) -> None:
    with Image.open(asset("models/pictures/coffee.jpg")) as picture:
        espresso = recogniser.recognise(picture).words[0]
    assert espresso.text == "espresso"
    assert espresso.confidence == pytest.approx(0.87, abs=0.05)


def test_its_name_is_the_one_its_descriptions_are_known_by(recogniser: Recogniser) -> None:
    assert recogniser.model == RECOGNISER


def test_a_word_is_as_probable_as_its_classes_together() -> None:
    assert said(labels(), 0.35, 0.35, 0.1, 0.1, 0.1) == [("dog", False)]
    assert said(labels(), 0.5, 0.35, 0.1, 0.03, 0.02) == [("dog", True), ("animal", True)]
    assert said(labels(), 0.65, 0.05, 0.1, 0.1, 0.1) == [("poodle", False), ("dog", False)]


def test_a_class_that_is_not_relied_on_says_nothing() -> None:
    assert said(labels(), 0.01, 0.01, 0.01, 0.96, 0.01) == []


def test_a_broad_word_needs_more() -> None:
    assert said(labels(), 0.28, 0.28, 0.28, 0.08, 0.08) == []
    assert said(labels(broad={}), 0.28, 0.28, 0.28, 0.08, 0.08) == [("animal", True)]


def test_temperature_makes_less_sure_or_surer() -> None:
    assert said(labels(temperature=2.0), 0.001, 0.001, 0.018, 0.2, 0.78) == []
    assert said(labels(temperature=0.5), 0.001, 0.001, 0.018, 0.4, 0.58) == [("cup", False)]


def test_a_phrase_is_the_word_with_its_article_or_the_one_that_is_given() -> None:
    found = labels(classes=[["owl"], ["cup"]], broad={})
    assert [found.recognised(scores(*each)).words[0].phrase for each in [(0.9, 0.1), (0.1, 0.9)]] == [
        "an owl", "a cup of tea",
    ]  # fmt: skip


def test_every_phrase_belongs_to_a_word_and_there_is_a_class_for_each_score(recogniser: Recogniser) -> None:
    content = json.loads(asset("models/recogniser/labels.json").read_text())
    words = {word for each in content["classes"] for word in each}
    assert set(content["phrases"]) <= words
    assert set(content["broad"]) <= words
    assert len(content["classes"]) == len(recogniser.scores(Image.new("RGB", (32, 32)))) == 1000


def test_a_picture_of_any_shape_is_seen_whole() -> None:
    for size in [(1, 1), (2000, 10), (10, 2000)]:
        assert prepared(Image.new("RGB", size, "white")).shape == (1, 3, 224, 224)
    white = prepared(Image.new("RGB", (5, 5), "white"))
    assert (white.min(), white.max()) == (1.0, 1.0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": "x"}', "null"])
def test_damaged_labels_are_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(ModelError, match="missing or damaged"):
        Labels.load(tmp_path / "labels.json")


def test_a_damaged_network_is_told(tmp_path: Path) -> None:
    shutil.copy(asset("models/recogniser/labels.json"), tmp_path)
    with pytest.raises(ModelError, match="missing"):
        Recogniser.load(tmp_path)
    (tmp_path / "recogniser.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Recogniser.load(tmp_path)


def test_a_network_that_fails_is_told(recogniser: Recogniser) -> None:
    class Failing:
        def run(self, names: None, inputs: object) -> None:
            raise RuntimeError("no")

    with pytest.raises(CaptionerError, match="failed on this picture"):
        Recogniser(Failing(), labels()).recognise(Image.new("RGB", (8, 8)))
