"""A tiny BLIP checkpoint with random weights, in every form that checkpoints come in, made without torch."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from appliance.modelstore.architecture import Dimensions
from appliance.modelstore.expected import expected_weights
from torch_file import TorchZip

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "aeiou")]
CONFIG: dict[str, Any] = {
    "architectures": ["BlipForConditionalGeneration"],
    "model_type": "blip",
    "text_config": {
        "vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 24, "bos_token_id": 38, "sep_token_id": 3, "pad_token_id": 0,
    },
    "vision_config": {
        "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16,
        "patch_size": 8,
    },
}  # fmt: skip


@pytest.fixture
def torch_zip() -> TorchZip:
    """An empty torch file in the making."""
    return TorchZip()


@pytest.fixture(scope="session")
def weights() -> dict[str, NDArray[np.float32]]:
    """Random weights of the tiny BLIP, the LM head tied to the word embeddings and left out."""
    random = np.random.default_rng(7)
    shapes = expected_weights(Dimensions.read(CONFIG))
    made = {key: (random.standard_normal(shape) * 0.2).astype(np.float32) for key, shape in shapes.items()}
    for key in made:
        if key.lower().endswith(("norm.weight", "norm1.weight", "norm2.weight", "layernorm.weight")):
            made[key] += 1
    return {key: value for key, value in made.items() if not key.startswith("text_decoder.cls.predictions.decoder")} | {
        "text_decoder.cls.predictions.bias": made["text_decoder.cls.predictions.decoder.bias"]
    }


MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def make_checkpoint(tmp_path: Path, weights: dict[str, NDArray[np.float32]]) -> MakeCheckpoint:
    """Return a function that writes a checkpoint folder; what it is given replaces the tiny BLIP's own."""

    def make(
        folder: str = "checkpoint",
        *,
        config: Mapping[str, Any] = CONFIG,
        tensors: Mapping[str, NDArray[Any]] = weights,
        form: str = "safetensors",
    ) -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True)
        (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
        size = config.get("vision_config", {}).get("image_size", 384)
        (place / "preprocessor_config.json").write_text(json.dumps({"size": size}), encoding="utf-8")
        vocabulary = {word: number for number, word in enumerate(WORDS)}
        BertWordPieceTokenizer(vocabulary).save(str(place / "tokenizer.json"))
        if form == "safetensors":
            save_file(dict(tensors), place / "model.safetensors")
        else:
            made = TorchZip()
            for key, array in tensors.items():
                made.add(key, array)
            made.save(place / "pytorch_model.bin")
        return place

    return make


@pytest.fixture
def checkpoint_folder(make_checkpoint: MakeCheckpoint) -> Path:
    """A whole tiny BLIP folder with safetensors."""
    return make_checkpoint()
