"""BLIP checkpoints with random weights in any size, as the hub stores them, made without torch."""

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.modelstore.architecture import Dimensions
from appliance.modelstore.catalog import CatalogFile, CatalogModel
from appliance.modelstore.expected import ALIASES, expected_weights
from appliance.modelstore.files import sha256
from torch_file import TorchZip

BASE = Path(__file__).resolve().parents[1] / "oracle" / "blip-base"  # the hub's own files, but for the weights
HEAD, WORDS = "text_decoder.cls.predictions", "text_decoder.bert.embeddings.word_embeddings.weight"


def weight(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return one weight: the same for the same name and shape; what is tied is alike."""
    if name.startswith(f"{HEAD}.decoder."):
        name = ALIASES[name]
    array = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, dtype=np.float32)
    array *= np.float32(0.03)
    if name.lower().endswith("norm.weight") or (".layer_norm" in name and name.endswith("weight")):
        array += 1
    return array


def save(folder: Path, config: dict[str, Any]) -> Path:
    """Write pytorch_model.bin: the LM head beside the word embeddings it is tied to, its bias twice, one buffer."""
    dimensions = Dimensions.read(config)
    made = TorchZip()
    shapes = expected_weights(dimensions)
    shapes[f"{HEAD}.bias"] = shapes[f"{HEAD}.decoder.bias"]
    for name, shape in shapes.items():
        made.add_later(name, shape, lambda name=name, shape=shape: weight(name, shape))
    made.add("text_decoder.bert.embeddings.position_ids", np.arange(dimensions.text.positions, dtype=np.int64)[None])
    return made.save(folder / "pytorch_model.bin")


def base(folder: Path) -> Path:
    """Write the hub's own files of BLIP-base, and random weights of its exact shape, 990 MB."""
    folder.mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json", "special_tokens_map.json", "tokenizer.json", "vocab.txt"):
        shutil.copyfile(BASE / name, folder / name)
    save(folder, json.loads((folder / "config.json").read_text(encoding="utf-8")))
    return folder


def entry(folder: Path, revision: str, *, name: str = "blip-base", known: bool = True) -> CatalogModel:
    """Return a catalogue's entry for the files in `folder`, with their hashes where they are `known`."""
    names = ("config.json", "preprocessor_config.json", "tokenizer.json", "pytorch_model.bin")
    files = tuple(
        CatalogFile(each, (folder / each).stat().st_size if known else None, sha256(folder / each) if known else None)
        for each in names
    )
    variants = {"int8": 1, "float": 1}
    return CatalogModel(name, "BLIP", "owner/blip", revision, "BSD-3-Clause", tuple(variants), variants, files)
