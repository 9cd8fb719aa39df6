"""A Hugging Face BLIP folder is opened in each of its forms, and what is wrong with one is told plainly."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from appliance.errors import CheckpointError
from appliance.modelstore.checkpoint import Checkpoint

Weights = dict[str, NDArray[np.float32]]
Make = Callable[..., Path]
WORDS = "text_decoder.bert.embeddings.word_embeddings.weight"
HEAD = "text_decoder.cls.predictions.decoder.weight"


def config_with(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "config.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_both_kinds_of_weights(make_checkpoint: Make, weights: Weights, form: str) -> None:
    checkpoint = Checkpoint.open(make_checkpoint(form=form))
    assert set(checkpoint.tensors) == set(weights)
    assert len(checkpoint.tensors) == len(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(checkpoint.tensors[name], array)
        assert checkpoint.tensors[name].dtype == np.float32
    assert checkpoint.dimensions.text.layers == 2
    assert checkpoint.max_length == 20
    weight_file = {"safetensors": "model.safetensors", "bin": "pytorch_model.bin"}[form]
    assert checkpoint.files == ("config.json", "preprocessor_config.json", "tokenizer.json", weight_file)


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_other_precisions_become_float32(make_checkpoint: Make, weights: Weights, kind: str) -> None:
    checkpoint = Checkpoint.open(make_checkpoint(tensors={name: array.astype(kind) for name, array in weights.items()}))
    assert checkpoint.tensors[WORDS].dtype == np.float32
    np.testing.assert_allclose(checkpoint.tensors[WORDS], weights[WORDS], rtol=1e-3, atol=1e-6)


def test_weights_in_shards(make_checkpoint: Make, weights: Weights) -> None:
    folder = make_checkpoint()
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, folder / file)
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    checkpoint = Checkpoint.open(folder)
    np.testing.assert_array_equal(checkpoint.tensors[names[0]], weights[names[0]])
    np.testing.assert_array_equal(checkpoint.tensors[names[1]], weights[names[1]])
    assert checkpoint.files[-2:] == tuple(parts)
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"lacks model-2\.safetensors"):
        Checkpoint.open(folder)


@pytest.mark.parametrize(
    "index", ["", "[]", '{"weight_map": {"a": "../../secret"}}', '{"weight_map": {}}', '{"weight_map": 3}']
)
def test_a_wrong_list_of_shards(make_checkpoint: Make, index: str) -> None:
    folder = make_checkpoint()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CheckpointError):
        Checkpoint.open(folder)


def test_the_tied_head_is_found_under_either_name(make_checkpoint: Make, weights: Weights) -> None:
    tensors = Checkpoint.open(make_checkpoint()).tensors
    assert HEAD in tensors
    np.testing.assert_array_equal(tensors[HEAD], weights[WORDS])
    assert tensors.shape(HEAD) == weights[WORDS].shape
    renamed = {HEAD if name == WORDS else name: array for name, array in weights.items()}
    np.testing.assert_array_equal(
        Checkpoint.open(make_checkpoint("other", tensors=renamed)).tensors[WORDS], weights[WORDS]
    )
    assert "nothing" not in tensors
    with pytest.raises(KeyError):
        tensors["nothing"]


def test_weights_that_captioning_does_not_need_are_tolerated(make_checkpoint: Make, weights: Weights) -> None:
    more = weights | {"text_decoder.bert.embeddings.position_ids": np.arange(24, dtype=np.int64)[None]}
    assert len(Checkpoint.open(make_checkpoint(tensors=more, form="bin")).tensors) == len(weights) + 1


def test_processor_config_as_transformers_5_writes_it(checkpoint_folder: Path) -> None:
    (checkpoint_folder / "preprocessor_config.json").unlink()
    content = {
        "image_processor": {
            "do_normalize": False, "image_mean": [0.5, 0.5, 0.5], "resample": 3, "rescale_factor": 0.5,
            "size": {"height": 16, "width": 16},
        },
        "processor_class": "BlipProcessor",
    }  # fmt: skip
    (checkpoint_folder / "processor_config.json").write_text(json.dumps(content))
    checkpoint = Checkpoint.open(checkpoint_folder)
    image = checkpoint.image
    assert (image.width, image.height, image.rescale_factor, image.resample) == (16, 16, 0.5, "bicubic")
    assert (image.mean, image.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert "processor_config.json" in checkpoint.files


@pytest.mark.parametrize(
    "content",
    [
        '{"size": 384}',
        '{"size": {"shortest_edge": 16}}',
        '{"size": 16, "resample": 2}',
        '{"size": 16, "do_resize": false}',
        '{"size": 16, "image_std": [1, 1, 0]}',
        '{"size": 16, "image_mean": [NaN, 0, 0]}',
        '{"size": 16, "image_mean": [0, 0]}',
        '{"size": 16, "image_mean": "gray"}',
        '{"size": 16, "rescale_factor": "much"}',
        "[]",
        "{",
        "",
        '"text"',
    ],
)
def test_picture_settings_that_cannot_be_used(checkpoint_folder: Path, content: str) -> None:
    (checkpoint_folder / "preprocessor_config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json cannot be used"):
        Checkpoint.open(checkpoint_folder)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(checkpoint_folder: Path, name: str) -> None:
    (checkpoint_folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"lacks {name}") as caught:
        Checkpoint.open(checkpoint_folder)
    assert caught.value.next_step


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a folder"):
        Checkpoint.open(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda config: config.update(model_type="bert"), "BLIP"),
        (lambda config: config.update(architectures=["BlipForQuestionAnswering"]), "BlipForQuestionAnswering"),
        (lambda config: config.clear(), "BLIP"),
        (lambda config: config.update(text_config=[1]), "text_config"),
        (lambda config: config["text_config"].update(num_hidden_layers=10**9), "too large"),
        (lambda config: config["text_config"].update(num_hidden_layers=0), "zero"),
        (lambda config: config["text_config"].update(hidden_size="wide"), "hidden_size"),
        (lambda config: config["text_config"].update(num_attention_heads=3), "heads"),
        (lambda config: config["text_config"].update(bos_token_id=40), "too large"),
        (lambda config: config["vision_config"].update(patch_size=5), "multiple"),
        (lambda config: config["vision_config"].update(image_size=-16), "negative"),
    ],
)
def test_configs_of_other_models_and_impossible_numbers(
    checkpoint_folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    config_with(checkpoint_folder, change)
    with pytest.raises(CheckpointError, match=reason) as caught:
        Checkpoint.open(checkpoint_folder)
    assert str(checkpoint_folder / "config.json") in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_damaged_configs(checkpoint_folder: Path, content: bytes) -> None:
    (checkpoint_folder / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        Checkpoint.open(checkpoint_folder)


def test_a_missing_weight_is_named(make_checkpoint: Make, weights: Weights) -> None:
    name = "vision_model.post_layernorm.bias"
    folder = make_checkpoint(tensors={key: array for key, array in weights.items() if key != name})
    with pytest.raises(CheckpointError, match=f"lacks the weights {name}"):
        Checkpoint.open(folder)


def test_a_weight_of_another_shape_is_named(make_checkpoint: Make, weights: Weights) -> None:
    folder = make_checkpoint(tensors=weights | {"vision_model.post_layernorm.bias": np.zeros(7, np.float32)})
    with pytest.raises(CheckpointError, match=r"post_layernorm\.bias has the shape \[7\]"):
        Checkpoint.open(folder)


def test_weights_cut_off(checkpoint_folder: Path) -> None:
    path = checkpoint_folder / "model.safetensors"
    for size in (0, 5, 100, path.stat().st_size - 1):
        cut = checkpoint_folder.with_name(f"cut-{size}")
        shutil.copytree(checkpoint_folder, cut)
        with (cut / "model.safetensors").open("r+b") as file:
            file.truncate(size)
        with pytest.raises(CheckpointError, match=r"model\.safetensors is cut off or damaged"):
            Checkpoint.open(cut)


@pytest.mark.parametrize(
    ("written", "length"), [({"max_length": 12}, 12), ({}, 20), ({"max_length": 9999}, 20), ({"max_length": "a"}, 20)]
)
def test_how_long_a_caption_may_be(checkpoint_folder: Path, written: dict[str, Any], length: int) -> None:
    (checkpoint_folder / "generation_config.json").write_text(json.dumps(written))
    assert Checkpoint.open(checkpoint_folder).max_length == length
