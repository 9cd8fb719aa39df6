"""Files that torch itself has saved are read to the last bit, and what torch would run is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import random_blip
from appliance.errors import CheckpointError
from appliance.modelstore.checkpoint import Checkpoint
from appliance.modelstore.torch_pickle import TorchTensors

pytestmark = pytest.mark.oracle


def numbers(tensor: Any) -> Any:
    return tensor.detach().to(torch.float64).numpy()


@pytest.mark.parametrize(
    "kind", ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
def test_every_kind_of_number(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(1)
    tensor = (torch.randn(3, 5) * 50).to(getattr(torch, kind))
    torch.save({"a": tensor, "scalar": tensor[1, 2].clone(), "none": tensor[:0]}, tmp_path / "a.bin")
    read = TorchTensors(tmp_path / "a.bin")
    for name, expected in {"a": tensor, "scalar": tensor[1, 2], "none": tensor[:0]}.items():
        assert read[name].shape == tuple(expected.shape)
        np.testing.assert_array_equal(read[name].astype(np.float64), numbers(expected))


def test_views_of_shared_storages(tmp_path: Path) -> None:
    base = torch.arange(60.0).reshape(3, 4, 5)
    views = {
        "base": base, "turned": base.permute(2, 0, 1), "cut": base[1:, ::2, 3], "last": base[2], "flat": base.view(-1),
        "parameter": torch.nn.Parameter(base[0].t()), "ids": torch.arange(512).expand((1, -1)),
    }  # fmt: skip
    torch.save(views, tmp_path / "a.bin")
    read = TorchTensors(tmp_path / "a.bin")
    for name, expected in views.items():
        np.testing.assert_array_equal(read[name], expected.detach().numpy())


def test_a_modules_state_dict(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3), torch.nn.Embedding(7, 3))
    torch.save(module.state_dict(), tmp_path / "a.bin")
    read = TorchTensors(tmp_path / "a.bin")
    assert set(read) == set(module.state_dict())
    for name, expected in module.state_dict().items():
        np.testing.assert_array_equal(read[name], expected.numpy())


def test_the_old_format_is_told(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(3)}, tmp_path / "a.bin", _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=r"before version 1\.6"):
        TorchTensors(tmp_path / "a.bin")


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "a.bin")
    with pytest.raises(CheckpointError, match="torch does not write NEWOBJ"):
        TorchTensors(tmp_path / "a.bin")


class Harmful:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.mark}",)


def test_an_object_that_runs_a_command_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(3), "b": Harmful(tmp_path / "mark")}, tmp_path / "a.bin")
    with pytest.raises(CheckpointError, match="system"):
        TorchTensors(tmp_path / "a.bin")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_a_checkpoint_that_transformers_saved(tmp_path: Path, form: str, kind: str) -> None:
    torch.manual_seed(0)
    text = {
        "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 32, "bos_token_id": 62, "sep_token_id": 3, "encoder_hidden_size": 48,
    }  # fmt: skip
    vision = {
        "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    config = transformers.BlipConfig(text_config=text, vision_config=vision)
    model = transformers.BlipForConditionalGeneration(config).to(getattr(torch, kind))
    model.save_pretrained(tmp_path)
    if form == "bin":
        (tmp_path / "model.safetensors").unlink()
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    transformers.BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    checkpoint = Checkpoint.open(tmp_path)
    assert (checkpoint.image.width, checkpoint.image.resample) == (32, "bicubic")
    for name, expected in model.state_dict().items():
        np.testing.assert_array_equal(checkpoint.tensors[name], expected.to(torch.float32).numpy())


def test_the_full_size_checkpoint_that_our_tests_make_is_one_to_torch_and_transformers(tmp_path: Path) -> None:
    folder = random_blip.base(tmp_path / "base")
    read = torch.load(folder / "pytorch_model.bin", mmap=True, weights_only=True)
    config = transformers.BlipConfig.from_pretrained(folder)
    with torch.device("meta"):
        model = transformers.BlipForConditionalGeneration(config)
    told = model.load_state_dict(read, strict=False, assign=True)
    assert told.missing_keys == []
    assert set(told.unexpected_keys) <= {"text_decoder.bert.embeddings.position_ids"}
    ours = TorchTensors(folder / "pytorch_model.bin")
    assert set(ours) == set(read)
    numbers = sum(tensor.numel() for tensor in read.values())
    assert 0 < 989_820_849 - 4 * numbers < 100_000, "the hub's own file holds as many, and its list of them"
    for name in ("vision_model.post_layernorm.weight", "text_decoder.bert.embeddings.position_ids"):
        np.testing.assert_array_equal(ours[name], read[name].numpy())
    head, words = "text_decoder.cls.predictions.decoder.weight", "text_decoder.bert.embeddings.word_embeddings.weight"
    assert torch.equal(read[head], read[words])
    assert read[head].data_ptr() != read[words].data_ptr(), "stored beside each other"
