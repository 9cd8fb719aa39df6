"""A checkpoint becomes a model folder that is whole, or nothing."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from appliance.errors import CheckpointError, ModelError, StorageFullError
from appliance.modelstore import build as module
from appliance.modelstore import files, manifest, weights_file
from appliance.modelstore.build import build
from appliance.modelstore.verify import compare, recorded, verify_files

Make = Callable[..., Path]
ABOUT = {"id": "tiny-int8", "name": "Tiny", "variant": "int8"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def enough_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """These models are tiny: the space that is left free for real ones does not matter here."""
    monkeypatch.setattr(files, "_MARGIN", 0)


@pytest.mark.parametrize("form", ["safetensors", "bin"])
@pytest.mark.parametrize("variant", ["int8", "float"])
def test_a_model_is_built_with_its_manifest(make_checkpoint: Make, tmp_path: Path, form: str, variant: str) -> None:
    steps: list[tuple[str, int, int]] = []
    model = build(
        make_checkpoint(form=form), tmp_path / "out", id="tiny", name="Tiny", variant=variant, licence="MIT",
        notice="Only a test.", refusal="no", made_at="2026-01-02T03:04:05+00:00",
        progress=lambda *step: steps.append(step),
    )  # fmt: skip
    assert (model.id, model.name, model.variant, model.sample) == ("tiny", "Tiny", variant, False)
    assert (model.notice, model.licence, model.folder) == ("Only a test.", "MIT", str(tmp_path / "out"))
    names = {"encoder.onnx", "decoder.onnx", "tokenizer.json"}
    assert set(contents(tmp_path / "out")) == names | {"manifest.json"}
    written = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (written["format"], written["architecture"], written["variant"]) == (1, "blip", variant)
    assert (written["refusal"], written["made_at"]) == ("no", "2026-01-02T03:04:05+00:00")
    assert written["text"] == {
        "layers": 2, "heads": 2, "width": 16, "vocabulary": 40, "bos": 38, "sep": 3, "pad": 0, "max_length": 20,
    }  # fmt: skip
    assert (written["image"]["width"], written["image"]["resample"]) == (16, "bicubic")
    assert set(written["files"]) == names
    assert len(written["source"]["files"]) == 4
    assert set(written["made_with"]) == {"shoebox", "onnx", "onnxruntime"}
    assert model.bytes == sum(len(content) for name, content in contents(tmp_path / "out").items() if name in names)
    verify_files(tmp_path / "out")
    stages = ["build", "describe", "quantize", "check"] if variant == "int8" else ["build", "describe"]
    assert list(dict.fromkeys(stage for stage, _, _ in steps)) == stages
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "out"]
    for stage in stages:
        told = [(done, total) for name, done, total in steps if name == stage]
        assert told == sorted(told)
        assert (told[0][0], told[-1][0]) == (0, told[-1][1])
        assert len(told) > 4, "the bar moves within a stage"


@pytest.mark.parametrize("variant", ["int8", "float"])
def test_a_large_models_weights_lie_beside_its_graphs_and_it_answers_alike(
    checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    build(checkpoint_folder, tmp_path / "small", **{**ABOUT, "variant": variant})
    monkeypatch.setattr(weights_file, "LARGEST_INSIDE", 100)
    build(checkpoint_folder, tmp_path / "large", **{**ABOUT, "variant": variant})
    assert set(contents(tmp_path / "large")) == {
        "encoder.onnx", "encoder.onnx.data", "decoder.onnx", "decoder.onnx.data", "tokenizer.json", "manifest.json",
    }  # fmt: skip
    verify_files(tmp_path / "large")
    agreement = compare(tmp_path / "large", recorded(tmp_path / "small"))
    small, large = (json.loads((tmp_path / size / "manifest.json").read_text()) for size in ("small", "large"))
    assert small["reference"] == large["reference"]
    assert agreement.good


def test_building_again_gives_the_same_bytes(checkpoint_folder: Path, tmp_path: Path) -> None:
    build(checkpoint_folder, tmp_path / "one", **ABOUT)
    build(checkpoint_folder, tmp_path / "two", **ABOUT)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert "made_at" not in json.loads((tmp_path / "one" / "manifest.json").read_text())


def test_safetensors_and_bin_give_the_same_graphs(make_checkpoint: Make, tmp_path: Path) -> None:
    for form in ("safetensors", "bin"):
        build(make_checkpoint(form, form=form), tmp_path / f"out-{form}", **ABOUT)
    one, other = (contents(tmp_path / f"out-{form}") for form in ("safetensors", "bin"))
    assert one["encoder.onnx"] == other["encoder.onnx"]
    assert one["decoder.onnx"] == other["decoder.onnx"]


def test_what_an_interrupted_build_left_is_no_hindrance(checkpoint_folder: Path, tmp_path: Path) -> None:
    left = tmp_path / ".building-out" / "float"
    left.mkdir(parents=True)
    (left / "encoder.onnx").write_bytes(b"half")
    build(checkpoint_folder, tmp_path / "out", **ABOUT)
    verify_files(tmp_path / "out")


def test_a_place_that_is_taken_is_left_alone(checkpoint_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="there already"):
        build(checkpoint_folder, tmp_path / "out", **ABOUT)


@pytest.mark.parametrize("change", [{"id": "../out"}, {"id": "A"}, {"id": ""}, {"variant": "int2"}])
def test_names_that_cannot_be(checkpoint_folder: Path, tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="can be called"):
        build(checkpoint_folder, tmp_path / "out", **{**ABOUT, **change})


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("step", "error", "raised"),
    [
        ("settle", OSError(errno.ENOSPC, "No space left"), StorageFullError),
        ("settle", OSError(errno.EIO, "Input/output error"), ModelError),
        ("quantize", CheckpointError("bad"), CheckpointError),
        ("require_agreement", ModelError("differs"), ModelError),
    ],
)
def test_a_failed_build_leaves_nothing(
    checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception, raised: type
) -> None:
    monkeypatch.setattr(module, step, failing(error))
    with pytest.raises(raised):
        build(checkpoint_folder, tmp_path / "out", **ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_too_little_room_is_told_before_anything_is_written(
    checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MARGIN", 1 << 60)
    with pytest.raises(StorageFullError, match="GB free"):
        build(checkpoint_folder, tmp_path / "out", **ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_damaged_checkpoint_is_told(make_checkpoint: Make, tmp_path: Path, weights: dict[str, NDArray[Any]]) -> None:
    folder = make_checkpoint(tensors={name: array for name, array in weights.items() if "qkv" not in name})
    with pytest.raises(CheckpointError, match="lacks the weights"):
        build(folder, tmp_path / "out", **ABOUT)


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx", "tokenizer.json"])
def test_changed_files_are_found_by_their_hash(checkpoint_folder: Path, tmp_path: Path, name: str) -> None:
    build(checkpoint_folder, tmp_path / "out", **ABOUT)
    path = tmp_path / "out" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} is damaged"):
        verify_files(tmp_path / "out")
    path.write_bytes(content[:-1])
    with pytest.raises(ModelError, match="missing or cut off"):
        manifest.info(tmp_path / "out")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"id": 3}, {"id": "../a"}, {"variant": "x"}, {"sample": "yes"}, {"files": {}}, {"files": []},
        {"name": None}, {"files": {"encoder.onnx": 1, "decoder.onnx": 1, "tokenizer.json": 1}},
        {"files": {"encoder.onnx": {"bytes": "1"}, "decoder.onnx": {"bytes": 1}, "tokenizer.json": {"bytes": 1}}},
    ],
)  # fmt: skip
def test_damaged_manifests(checkpoint_folder: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    build(checkpoint_folder, tmp_path / "out", **ABOUT)
    path = tmp_path / "out" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError):
        manifest.read(tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"3"])
def test_manifests_that_are_none(checkpoint_folder: Path, tmp_path: Path, content: bytes) -> None:
    build(checkpoint_folder, tmp_path / "out", **ABOUT)
    (tmp_path / "out" / "manifest.json").write_bytes(content)
    with pytest.raises(ModelError, match="missing or damaged"):
        manifest.read(tmp_path / "out")
