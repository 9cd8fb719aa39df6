"""A BLIP of a few thousand random weights, as the hub stores one, for a stick."""

import json
from pathlib import Path

from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

import random_blip

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "aeiou")]
TEXT = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "max_position_embeddings": 24, "bos_token_id": 38, "sep_token_id": 3, "pad_token_id": 0,
}  # fmt: skip
VISION = {
    "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16,
    "patch_size": 8,
}  # fmt: skip


def save(folder: Path) -> Path:
    """Write it into the new folder `folder`."""
    folder.mkdir()
    config = {
        "architectures": ["BlipForConditionalGeneration"],
        "model_type": "blip",
        "text_config": TEXT,
        "vision_config": VISION,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 16}), encoding="utf-8")
    BertWordPieceTokenizer({word: number for number, word in enumerate(WORDS)}).save(str(folder / "tokenizer.json"))
    random_blip.save(folder, config)
    return folder
