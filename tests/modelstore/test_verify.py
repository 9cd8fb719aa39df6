"""What a model's original said of the shipped photographs, and models that say something else."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from appliance.assets import asset
from appliance.errors import DisagreementError, ModelError
from appliance.modelstore import files, manifest, verify
from appliance.modelstore.build import build
from appliance.modelstore.pictures import pictures
from appliance.modelstore.verify import Agreement, Answer, compare, recorded, require_agreement

SAMPLE = Path(__file__).parents[2] / "models" / "sample" / "checkpoint"
ABOUT = {"id": "sample", "name": "Sample"}


@pytest.fixture(autouse=True)
def enough_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """These models are tiny: the space that is left free for real ones does not matter here."""
    monkeypatch.setattr(files, "_MARGIN", 0)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample model in int8, for all to copy."""
    folder = tmp_path_factory.mktemp("built") / "int8"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_MARGIN", 0)
        build(SAMPLE, folder, variant="int8", **ABOUT)
    return folder


@pytest.fixture
def quick(built: Path, tmp_path: Path) -> Path:
    """The sample model in int8."""
    return Path(shutil.copytree(built, tmp_path / "int8"))


def answers(folder: Path) -> list[Answer]:
    found = recorded(folder)
    assert found is not None
    return found


def change(folder: Path, graph: str, ending: str, how: Callable[[Any], Any]) -> None:
    """Change all weights of a model's graph whose names end so."""
    model = onnx.load(folder / graph)
    changed = 0
    for tensor in model.graph.initializer:
        if tensor.name.endswith(ending):
            array = how(onnx.numpy_helper.to_array(tensor))
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))
            changed += 1
    assert changed
    onnx.save(model, folder / graph)


def test_the_original_is_recorded_with_every_picture(quick: Path) -> None:
    found = answers(quick)
    assert [answer.picture for answer in found] == [name for name, _ in pictures()]
    assert {answer.text for answer in found} >= {"this sample model only knows drawn shapes"}
    for answer in found:
        assert len(answer.leads) == len(answer.tokens) - 1
        assert len(answer.seen) == len(answer.scores) == 128
    assert (quick / manifest.NAME).stat().st_size < 30_000  # the page reads it


def test_what_is_recorded_reads_back_as_it_was(quick: Path) -> None:
    kept = manifest.read(quick)["reference"]
    assert [answer.as_json() for answer in answers(quick)] == kept


def test_float_is_recorded_as_int8_is_and_agrees_with_itself(quick: Path, tmp_path: Path) -> None:
    build(SAMPLE, tmp_path / "float", variant="float", **ABOUT)
    assert "agreement" not in manifest.read(tmp_path / "float")
    for found in (answers(tmp_path / "float"), answers(quick)):  # recorded of graphs that may be cut otherwise
        agreement = compare(tmp_path / "float", found)
        assert agreement == Agreement(10, 1.0, 1.0, pytest.approx(1.0, abs=1e-5), 1.0)


def test_int8_agrees_and_its_manifest_says_how_much(quick: Path) -> None:
    agreement = compare(quick, answers(quick))
    assert agreement == Agreement(10, 1.0, 1.0, pytest.approx(0.9995, abs=5e-4), 1.0)
    assert agreement.similarity < 1 - 1e-6
    assert agreement.good
    assert manifest.read(quick)["agreement"]["similarity"] == agreement.similarity


@pytest.mark.parametrize("graph", ["encoder.onnx", "decoder.onnx"])
def test_weights_in_the_wrong_order_are_refused(quick: Path, graph: str) -> None:
    change(quick, graph, ".int8", lambda array: array[::-1])
    agreement = compare(quick, answers(quick))
    assert not agreement.good
    assert agreement.exact < 0.5
    with pytest.raises(DisagreementError, match="otherwise than its original"):
        require_agreement(quick, manifest.read(quick)["reference"])


def test_numbers_that_are_none_are_refused(quick: Path) -> None:
    change(quick, "decoder.onnx", ".int8_scale", lambda array: array * np.nan)
    assert not compare(quick, answers(quick)).good


def test_a_difference_in_one_caption_is_told(quick: Path) -> None:
    found = answers(quick)
    assert found[3].text == "a large white diamond on a gray background"
    found[0] = replace(found[3], picture=found[0].picture)
    agreement = compare(quick, found)
    assert (agreement.exact, agreement.overlap) == (0.9, 0.9)  # the two sentences have no word in common
    assert agreement.sure is not None
    assert agreement.sure < 1


@pytest.mark.parametrize(
    ("agreement", "good"),
    [
        (Agreement(10, 0, 0, 0.95, None), True),  # weights that nobody trained are sure of nothing
        (Agreement(10, 0, 0, 0.85, None), False),
        (Agreement(10, 0.5, 0.8, 0.95, 0.95), True),
        (Agreement(10, 0.5, 0.8, 0.95, 0.85), False),
        (Agreement(10, 1, 1, float("nan"), 1), False),
    ],
)
def test_what_is_good(agreement: Agreement, good: bool) -> None:
    assert agreement.good is good


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("a dog", "a dog", 1.0),
        ("a dog and a dog", "a dog", 4 / 7),
        ("a cat", "two dogs", 0.0),
        ("", "", 1.0),
        ("", "a dog", 0.0),
    ],
)
def test_words_in_common(one: str, other: str, shared: float) -> None:
    assert verify._overlap(one, other) == pytest.approx(shared)
    assert verify._overlap(other, one) == pytest.approx(shared)


def test_a_model_from_before_there_was_a_record(quick: Path) -> None:
    about = manifest.read(quick)
    del about["reference"]
    (quick / manifest.NAME).write_text(json.dumps(about))
    assert recorded(quick) is None


@pytest.mark.parametrize("kept", [[{}], [3], [{"picture": "cat"}], [{"tokens": "1 x"}]])
def test_a_damaged_record(quick: Path, kept: Any) -> None:
    manifest.add(quick, reference=kept)
    with pytest.raises(ModelError, match="damaged"):
        recorded(quick)


def test_a_picture_that_is_not_shipped_any_more(quick: Path) -> None:
    found = [replace(answer, picture="dog") for answer in answers(quick)]
    with pytest.raises(ModelError, match="other pictures"):
        compare(quick, found)


def test_the_shipped_sample_describes_as_its_checkpoint_does() -> None:
    found = recorded(asset("models/sample/int8"))
    assert found is not None
    assert compare(asset("models/sample/int8"), found).good
