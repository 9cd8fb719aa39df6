"""A variant that describes otherwise than the original is not kept: the next better one takes its place."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance import cli
from appliance.errors import CheckpointError, DisagreementError
from appliance.modelstore import build as build_module
from appliance.modelstore import fallback, files, installed, manifest
from appliance.modelstore.fallback import Refusal, first_good, in_turn
from appliance.modelstore.install import install_folder

SAMPLE = Path(__file__).parents[2] / "models" / "sample" / "checkpoint"
Break = Callable[..., None]


@pytest.fixture(autouse=True)
def enough_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """These models are tiny: the space that is left free for real ones does not matter here."""
    monkeypatch.setattr(files, "_MARGIN", 0)


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Return what makes the quantiser write garbage for these variants."""
    real = build_module.quantize

    def break_variants(*broken: str) -> None:
        def quantize(model: Path, out: Path, variant: str = "int8", *more: object) -> None:
            real(model, out, *([variant, *more] if more else []))
            if variant not in broken:
                return
            graph = onnx.load(out)
            for tensor in graph.graph.initializer:
                if tensor.name.endswith(".int8"):
                    array = onnx.numpy_helper.to_array(tensor)
                    tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array[::-1]), tensor.name))
            onnx.save(graph, out)

        monkeypatch.setattr(build_module, "quantize", quantize)

    return break_variants


def test_each_is_nearer_to_the_original() -> None:
    chain = [one for one in ("int8", "mixed", "float") if one in manifest.VARIANTS]
    assert in_turn("int8") == chain
    assert in_turn("float") == ["float"]
    assert in_turn("nonsense") == ["nonsense"]


def test_the_first_that_is_good_is_taken_and_knows_who_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "VARIANTS", ("int8", "mixed", "fp16", "float"))
    tried: list[tuple[str, Sequence[Refusal]]] = []

    def build(variant: str, refused: Sequence[Refusal]) -> str:
        tried.append((variant, refused))
        if variant != "float":
            raise DisagreementError(f"{variant} is wrong.")
        return variant

    assert first_good("int8", build) == "float"
    one, other = Refusal("int8", "int8 is wrong."), Refusal("mixed", "mixed is wrong.")
    assert tried == [("int8", ()), ("mixed", (one,)), ("float", (one, other))]
    assert in_turn("fp16") == ["fp16", "float"]


def test_where_none_is_good_the_last_ones_error_is_told() -> None:
    def build(variant: str, refused: Sequence[Refusal]) -> str:
        raise DisagreementError(f"{variant} is wrong.")

    with pytest.raises(DisagreementError, match="float is wrong"):
        first_good("int8", build)


def test_other_errors_are_not_answered_by_another_variant() -> None:
    def build(variant: str, refused: Sequence[Refusal]) -> str:
        raise CheckpointError("damaged")

    with pytest.raises(CheckpointError):
        first_good("int8", build)


def test_installing_falls_back_and_says_so(spoil: Break, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil("int8", "int4")
    assert cli.main(["models", "install", "--from", str(SAMPLE), "--data", str(data)]) == 0
    better = "mixed" if "mixed" in manifest.VARIANTS else "float"
    told = capsys.readouterr()
    assert f"own-checkpoint-{better}) is installed and in use" in told.out
    assert "int8 was built and not kept" in told.err
    assert "otherwise than its original" in told.err
    about = manifest.read(data / "models" / f"own-checkpoint-{better}")
    assert [one["variant"] for one in about["refused"]] == ["int8"]
    assert installed.in_use(data / "models").id == about["id"]
    assert {path.name for path in (data / "models").iterdir() if path.is_dir()} == {about["id"]}
    assert cli.main(["models", "verify", "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["good"] is True


def test_where_mixed_is_wrong_too_it_is_float(spoil: Break, data: Path) -> None:
    spoil("int8", "int4", "mixed")
    model = install_folder(data / "models", SAMPLE)
    assert model.variant == "float"
    about = manifest.read(Path(model.folder))
    assert [one["variant"] for one in about["refused"]] == in_turn("int8")[:-1]
    assert len(fallback.told(Path(model.folder))) == len(in_turn("int8")) - 1


def test_what_stands_in_is_not_built_again(spoil: Break, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil("int8", "int4")
    first = install_folder(data / "models", SAMPLE)
    monkeypatch.setattr(build_module, "quantize", lambda *_: pytest.fail("built again"))
    assert install_folder(data / "models", SAMPLE) == first


def test_a_better_variant_that_was_wished_for_stands_in_for_nothing(data: Path) -> None:
    install_folder(data / "models", SAMPLE, variant="float")
    assert install_folder(data / "models", SAMPLE).variant == "int8"
