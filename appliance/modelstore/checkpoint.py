"""Open a Hugging Face BLIP folder, without torch or transformers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import CheckpointError
from appliance.modelstore.architecture import Dimensions
from appliance.modelstore.expected import ALIASES, expected_weights, require_possible
from appliance.modelstore.image_settings import ImageSettings, image_settings
from appliance.modelstore.safetensors_file import SafetensorsTensors, shards
from appliance.modelstore.torch_pickle import TorchTensors
from appliance.sentences import say

_ARCHITECTURE = "BlipForConditionalGeneration"
_COPY = say("Copy the model's files there again.")


class Weights(Mapping[str, NDArray[np.float32]]):
    """The weights by name, as float32, each read from the disk when asked for and kept by nobody.

    The LM head and the word embeddings are one array under two names; either finds what the file holds under the other.
    """

    def __init__(self, file: SafetensorsTensors | TorchTensors) -> None:
        self._file = file

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return np.asarray(self._file[self._stored(name)], dtype=np.float32)

    def __contains__(self, name: object) -> bool:
        return name in self._file or (isinstance(name, str) and ALIASES.get(name) in self._file)

    def __iter__(self) -> Iterator[str]:
        return iter(self._file)

    def __len__(self) -> int:
        return len(self._file)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a weight's shape without reading it; raise KeyError where there is none."""
        return self._file.shape(self._stored(name))

    def _stored(self, name: str) -> str:
        return name if name in self._file else ALIASES.get(name, name)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An opened BLIP folder.

    `config` is config.json's content, `dimensions` what it comes to, `max_length` how many tokens a caption has,
    `tokenizer` is the path of tokenizer.json or vocab.txt, `files` are the names of all files that were used.
    """

    folder: Path
    config: dict[str, Any]
    dimensions: Dimensions
    image: ImageSettings
    max_length: int
    tokenizer: Path
    tensors: Weights
    files: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> "Checkpoint":
        """Open `folder` and check that every weight is there in its right shape.

        Raises CheckpointError, naming the file and what to do, where something is missing, damaged or not BLIP's.
        """
        if not folder.is_dir():
            raise CheckpointError(
                "{folder} is not a folder.", "Name the folder that holds the model's config.json.", folder=folder
            )
        config = read_json(folder / "config.json")
        dimensions = _dimensions(folder / "config.json", config)
        image, image_file = image_settings(folder, dimensions.vision.image)
        weight_files, tensors = _weights(folder)
        _compare(weight_files[0], tensors, expected_weights(dimensions))
        tokenizer = _first(folder, "tokenizer.json", "vocab.txt")
        used = ["config.json", image_file, tokenizer.name, *(path.name for path in weight_files)]
        max_length = _max_length(folder, dimensions)
        return cls(folder, config, dimensions, image, max_length, tokenizer, tensors, tuple(used))


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file; raise CheckpointError where it is missing or is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError("{parent} lacks {name}.", _COPY, parent=path.parent, name=path.name) from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("{path} cannot be read: {error}.", _COPY, path=path, error=error) from error
    if not isinstance(content, dict):
        raise CheckpointError("{path} is damaged: it holds no JSON object.", _COPY, path=path)
    return content


def _dimensions(path: Path, config: dict[str, Any]) -> Dimensions:
    """Return what config.json says of a captioning BLIP's size; raise CheckpointError where it is none."""
    architectures = config.get("architectures") or [_ARCHITECTURE]
    if config.get("model_type") != "blip" or _ARCHITECTURE not in architectures:
        what = ", ".join(map(str, architectures)) if config.get("architectures") else config.get("model_type")
        raise CheckpointError(
            "{path} does not describe a BLIP that captions, but {what}.",
            "Use a folder of {architecture}, such as Salesforce/blip-image-captioning-base.",
            path=path,
            what=what,
            architecture=_ARCHITECTURE,
        )
    try:
        dimensions = Dimensions.read(config)
        require_possible(dimensions)
    except CheckpointError as error:
        raise CheckpointError(
            "{path} cannot be used: {error}", error.next_step, path=path, error=error.message
        ) from error
    except (AttributeError, TypeError) as error:
        raise CheckpointError("{path} is damaged: {error}.", _COPY, path=path, error=error) from error
    return dimensions


def _first(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(
        "{folder} lacks {names}; one of them is needed.", _COPY, folder=folder, names=" and ".join(names)
    )


def _weights(folder: Path) -> tuple[list[Path], Weights]:
    """Open the weights; safetensors first, because it needs no unpickling."""
    path = _first(folder, "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
    if path.suffix == ".bin":
        return [path], Weights(TorchTensors(path))
    paths = shards(path) if path.suffix == ".json" else [path]
    return paths, Weights(SafetensorsTensors(paths))


def _compare(path: Path, tensors: Weights, expected: dict[str, tuple[int, ...]]) -> None:
    if any(name.startswith("text_encoder.") for name in tensors):
        raise CheckpointError(
            "{path} holds a BLIP that answers questions or ranks pictures, not one that captions.",
            "Use a folder of {architecture}, such as Salesforce/blip-image-captioning-base.",
            path=path,
            architecture=_ARCHITECTURE,
        )
    missing = [name for name in expected if name not in tensors]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise CheckpointError(
            "{path} lacks the weights {missing}{more}, which config.json asks for.",
            _COPY,
            path=path,
            missing=missing[0],
            more=more,
        )
    for name, shape in expected.items():
        if tensors.shape(name) != shape:
            raise CheckpointError(
                "{path}: {name} has the shape {shape}, but config.json asks for {list_shape}.",
                "Use config.json and weights of the same model.",
                path=path,
                name=name,
                shape=list(tensors.shape(name)),
                list_shape=list(shape),
            )


def _max_length(folder: Path, dimensions: Dimensions) -> int:
    """Return how many tokens a caption may have: generation_config.json's word, else config.json's, else 20."""
    length: object = dimensions.text.max_length
    if (folder / "generation_config.json").is_file():
        length = read_json(folder / "generation_config.json").get("max_length") or length
    longest = dimensions.text.positions
    return length if isinstance(length, int) and 1 < length <= longest else min(20, longest)
