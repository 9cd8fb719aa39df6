"""The sample model before training: a tiny BLIP, its vocabulary and its processor, in the conventions of the real one.

As with BLIP-base, [SEP] ends a caption, and the id that starts one ([DEC], bos) lies just beyond the tokenizer's words.
"""

import math
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer
from torch import Tensor, nn
from transformers import (
    BertTokenizerFast,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

from draw import COLOURS, KINDS, REFUSAL, RELATIONS, SIZES

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PROMPTS = ("a picture of", "a drawing of", "a photo of", "there is")
OTHER_WORDS = ("the", "an", "and", "in", "with", "this", "image", "photography", "scene", "##s", ".", ",")
IMAGE_SIDE, PATCH_SIDE, WIDTH, HEADS = 64, 8, 128, 4


def vocabulary() -> list[str]:
    """Every word of every caption, a few more for prompts; a word's place is its id."""
    texts = ("a", *SIZES, *COLOURS, *KINDS, *RELATIONS, "on a background", REFUSAL, *PROMPTS, *OTHER_WORDS)
    return list(dict.fromkeys([*SPECIAL, *(word for text in texts for word in text.split())]))


def waves(side: int) -> Tensor:
    """A place in a grid as sines and cosines, one row a cell: neighbours are alike wherever they lie."""
    pace = math.tau / torch.logspace(math.log10(3), math.log10(32), WIDTH // 4)
    angles = torch.arange(side)[:, None] * pace
    line = torch.cat([angles.sin(), angles.cos()], dim=1)
    down, right = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    return torch.cat([down, right], dim=2).flatten(0, 1)


def new_model() -> BlipForConditionalGeneration:
    """A model with random weights."""
    words = vocabulary()
    text = {
        "vocab_size": len(words) + 2,
        "hidden_size": WIDTH,
        "encoder_hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "projection_dim": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": HEADS,
        "max_position_embeddings": 64,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "label_smoothing": 0.0,
        "bos_token_id": len(words),
        "sep_token_id": words.index("[SEP]"),
        "eos_token_id": words.index("[SEP]"),
        "pad_token_id": words.index("[PAD]"),
    }
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "projection_dim": WIDTH,
        "num_hidden_layers": 4,
        "num_attention_heads": HEADS,
        "image_size": IMAGE_SIDE,
        "patch_size": PATCH_SIDE,
        "attention_dropout": 0.0,
    }
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=WIDTH, image_text_hidden_size=WIDTH)
    model = BlipForConditionalGeneration(config)
    for module in model.modules():
        # BLIP's own start (0.02 everywhere) is meant for layers 768 wide; at this width it stalls for long.
        if isinstance(module, nn.Linear) and module is not model.get_output_embeddings():
            nn.init.xavier_uniform_(module.weight)
    vision = model.vision_model
    nn.init.normal_(vision.embeddings.patch_embedding.weight, std=(3 * PATCH_SIDE**2) ** -0.5)
    vision.embeddings.position_embedding.data[0, 1:] = waves(IMAGE_SIDE // PATCH_SIDE)
    for layer in vision.encoder.layers:  # queries like keys: at first each patch looks at patches like it and near it
        weight = layer.self_attn.qkv.weight.data
        weight[WIDTH : 2 * WIDTH] = weight[:WIDTH]
    return model


def save_processor(folder: Path) -> None:
    """Write vocab.txt, tokenizer.json and the processor's settings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    fast = BertTokenizerFast(tokenizer_object=tokenizer._tokenizer, model_max_length=64)
    images = BlipImageProcessor(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE})
    images.save_pretrained(folder)
    BlipProcessor(images, fast).save_pretrained(folder)
