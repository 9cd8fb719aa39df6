"""A tiny BLIP model folder with random weights, made without torch."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from appliance.modelstore.architecture import Dimensions
from appliance.modelstore.expected import expected_weights
from appliance.modelstore.graph import build_decoder, build_encoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "red", "ball", "tu", "##k", "'", ".", "the", "on"]
CONFIG: dict[str, Any] = {
    "text_config": {
        "vocab_size": 17, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 24, "bos_token_id": 16, "sep_token_id": 3, "pad_token_id": 0,
    },
    "vision_config": {
        "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16,
        "patch_size": 8,
    },
}  # fmt: skip
MANIFEST: dict[str, Any] = {
    "format": 1,
    "id": "tiny-float",
    "architecture": "blip",
    "image": {
        "width": 16, "height": 16, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "resample": "bicubic",
        "rescale_factor": 1 / 255,
    },
    "text": {"bos": 16, "sep": 3, "pad": 0, "max_length": 20},
}  # fmt: skip


@dataclass
class Random:
    """A checkpoint of random weights, the LM head tied."""

    config: dict[str, Any] = field(default_factory=lambda: CONFIG)
    tensors: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        random = np.random.default_rng(4)
        for name, shape in expected_weights(Dimensions.read(self.config)).items():
            if not name.endswith("predictions.decoder.weight"):
                self.tensors[name] = (random.standard_normal(shape) * 0.4).astype(np.float32)


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> Path:
    """tokenizer.json of a few words."""
    made = BertWordPieceTokenizer({word: number for number, word in enumerate(WORDS)})
    Tokenizer.from_str(made.to_str()).save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


@pytest.fixture
def model_folder(tmp_path: Path, tokenizer_file: Path) -> Path:
    """A whole model folder."""
    folder = tmp_path / "tiny-float"
    folder.mkdir()
    onnx.save_model(build_encoder(Random()), folder / "encoder.onnx")
    onnx.save_model(build_decoder(Random()), folder / "decoder.onnx")
    (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    (folder / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    return folder


@pytest.fixture
def pictures() -> list[Image.Image]:
    """Twenty small pictures of noise."""
    random = np.random.default_rng(9)
    return [Image.fromarray(random.integers(0, 256, (20, 30, 3), dtype=np.uint8)) for _ in range(20)]
