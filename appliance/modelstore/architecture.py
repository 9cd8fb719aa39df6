"""The shape of a BLIP captioning model: config.json rules, and transformers' defaults fill in what it leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import CheckpointError

_VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 384,
    "patch_size": 16,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
}
_TEXT = {
    "vocab_size": 30524,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "max_position_embeddings": 512,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "bos_token_id": 30522,
    "sep_token_id": 102,
    "pad_token_id": 0,
    "max_length": 20,
}


@dataclass(frozen=True, slots=True)
class Vision:
    """The picture's side: `image` and `patch` in pixels, a patch's vector of `width`, an inner layer of `inner`."""

    image: int
    patch: int
    layers: int
    heads: int
    width: int
    inner: int
    activation: str
    epsilon: float

    @property
    def grid(self) -> int:
        """Patches along one side of the picture."""
        return self.image // self.patch

    @property
    def patches(self) -> int:
        """Vectors a picture becomes: its patches and the class vector."""
        return self.grid**2 + 1


@dataclass(frozen=True, slots=True)
class Text:
    """The sentence's side: `bos` starts a caption, `sep` ends it; a caption grows by at most `max_length` tokens."""

    vocabulary: int
    positions: int
    layers: int
    heads: int
    width: int
    inner: int
    activation: str
    epsilon: float
    bos: int
    sep: int
    pad: int
    max_length: int


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The shape of a BLIP captioning model."""

    vision: Vision
    text: Text

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "Dimensions":
        """Return what `config` (config.json's content) gives; raise CheckpointError where it cannot be BLIP's."""
        if config.get("model_type", "blip") != "blip":
            raise CheckpointError(
                "This is a {model_type} model, not BLIP.",
                "Choose a BLIP image captioning checkpoint.",
                model_type=config["model_type"],
            )
        vision = _part(config, "vision_config", _VISION)
        text = _part(config, "text_config", _TEXT)
        return cls(
            Vision(
                image=vision["image_size"],
                patch=vision["patch_size"],
                layers=vision["num_hidden_layers"],
                heads=_heads(vision),
                width=vision["hidden_size"],
                inner=vision["intermediate_size"],
                activation=vision["hidden_act"],
                epsilon=vision["layer_norm_eps"],
            ),
            Text(
                vocabulary=text["vocab_size"],
                positions=text["max_position_embeddings"],
                layers=text["num_hidden_layers"],
                heads=_heads(text),
                width=text["hidden_size"],
                inner=text["intermediate_size"],
                activation=text["hidden_act"],
                epsilon=text["layer_norm_eps"],
                bos=text["bos_token_id"],
                sep=text["sep_token_id"],
                pad=text["pad_token_id"],
                max_length=text["max_length"],
            ),
        )


def _part(config: Mapping[str, Any], name: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get(name) or {}
    if not isinstance(given, Mapping):
        raise CheckpointError(
            "The checkpoint's config.json gives {name} as no object.", "Download it again.", name=name
        )
    values = {key: default if given.get(key) is None else given[key] for key, default in defaults.items()}
    for key, default in defaults.items():
        kind = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(values[key], kind) or isinstance(values[key], bool):
            raise CheckpointError(
                "The checkpoint's config.json gives {values} for {name}.{key}.",
                "Download the checkpoint again, or choose another.",
                values=repr(values[key]),
                name=name,
                key=key,
            )
    return values


def _heads(part: Mapping[str, Any]) -> int:
    heads, width = int(part["num_attention_heads"]), int(part["hidden_size"])
    if heads < 1 or width % heads:
        raise CheckpointError(
            "The checkpoint's config.json asks for {heads} attention heads of {width} numbers together.",
            "The width must be a multiple of the heads: choose another checkpoint.",
            heads=heads,
            width=width,
        )
    return heads
