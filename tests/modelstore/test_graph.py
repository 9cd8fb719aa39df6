"""The graphs compute BLIP: held against the formulas written out in numpy."""

import math
import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from appliance.caption.network import Decoding, Network
from appliance.errors import CheckpointError
from appliance.modelstore import graph
from appliance.modelstore.checkpoint import Checkpoint

Tensors = dict[str, NDArray[Any]]
_erf = np.vectorize(math.erf)
ACTIVATIONS = {
    "gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "gelu_new": lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "relu": lambda x: np.maximum(x, 0),
    "quick_gelu": lambda x: x / (1 + np.exp(-1.702 * x)),
}


@dataclass
class Source:
    """A checkpoint in memory."""

    config: Mapping[str, Any]
    tensors: Tensors


class Reference:
    """BLIP as its formulas say, in double precision, one picture, every token at once."""

    def __init__(self, config: Mapping[str, Any], tensors: Tensors) -> None:
        self.vision, self.text = config["vision_config"], config["text_config"]
        self.tensors = tensors
        self.activation = ACTIVATIONS[self.text.get("hidden_act", "gelu")]

    def linear(self, name: str, x: NDArray[Any]) -> NDArray[Any]:
        return x @ self.tensors[f"{name}.weight"].T.astype(float) + self.tensors[f"{name}.bias"]

    def norm(self, name: str, x: NDArray[Any], epsilon: float) -> NDArray[Any]:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return scaled * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]

    def attend(
        self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any], heads: int, *, causal: bool = False
    ) -> NDArray[Any]:
        parts = []
        for one, key, value in zip(*(np.split(x, heads, axis=-1) for x in (q, k, v)), strict=True):
            scores = one @ key.T / math.sqrt(one.shape[-1])
            if causal:
                scores = np.where(np.tri(len(q)) > 0, scores, -np.inf)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            parts.append(shares / shares.sum(-1, keepdims=True) @ value)
        return np.concatenate(parts, axis=-1)

    def see(self, pixels: NDArray[Any]) -> NDArray[Any]:
        vision, side, at = self.vision, self.vision["patch_size"], "vision_model.embeddings"
        grid = vision["image_size"] // side
        patches = pixels[0].reshape(3, grid, side, grid, side).transpose(1, 3, 0, 2, 4).reshape(grid * grid, -1)
        kernel = self.tensors[f"{at}.patch_embedding.weight"].reshape(vision["hidden_size"], -1)
        x = patches @ kernel.T.astype(float) + self.tensors[f"{at}.patch_embedding.bias"]
        x = np.concatenate([self.tensors[f"{at}.class_embedding"][0], x]) + self.tensors[f"{at}.position_embedding"][0]
        for index in range(vision["num_hidden_layers"]):
            at = f"vision_model.encoder.layers.{index}"
            mixed = self.linear(f"{at}.self_attn.qkv", self.norm(f"{at}.layer_norm1", x, 1e-5))
            context = self.attend(*np.split(mixed, 3, axis=-1), heads=vision["num_attention_heads"])
            x = x + self.linear(f"{at}.self_attn.projection", context)
            inner = ACTIVATIONS["gelu"](self.linear(f"{at}.mlp.fc1", self.norm(f"{at}.layer_norm2", x, 1e-5)))
            x = x + self.linear(f"{at}.mlp.fc2", inner)
        return self.norm("vision_model.post_layernorm", x, 1e-5)

    def logits(self, seen: NDArray[Any], tokens: list[int]) -> NDArray[Any]:
        at, heads = "text_decoder.bert.embeddings", self.text["num_attention_heads"]
        words = self.tensors[f"{at}.word_embeddings.weight"]
        places = self.tensors[f"{at}.position_embeddings.weight"][: len(tokens)]
        x = self.norm(f"{at}.LayerNorm", words[tokens].astype(float) + places, 1e-12)
        for index in range(self.text["num_hidden_layers"]):
            at = f"text_decoder.bert.encoder.layer.{index}"
            for kind, source in (("attention", x), ("crossattention", seen)):
                source = x if kind == "attention" else seen
                q = self.linear(f"{at}.{kind}.self.query", x)
                k, v = (self.linear(f"{at}.{kind}.self.{part}", source) for part in ("key", "value"))
                context = self.attend(q, k, v, heads, causal=kind == "attention")
                added = x + self.linear(f"{at}.{kind}.output.dense", context)
                x = self.norm(f"{at}.{kind}.output.LayerNorm", added, 1e-12)
            inner = self.activation(self.linear(f"{at}.intermediate.dense", x))
            x = self.norm(f"{at}.output.LayerNorm", x + self.linear(f"{at}.output.dense", inner), 1e-12)
        at = "text_decoder.cls.predictions"
        x = self.activation(self.linear(f"{at}.transform.dense", x))
        x = self.norm(f"{at}.transform.LayerNorm", x, 1e-12)
        head = self.tensors.get(f"{at}.decoder.weight", words)
        return x @ head.T.astype(float) + self.tensors.get(f"{at}.decoder.bias", self.tensors[f"{at}.bias"])


@pytest.fixture
def source(checkpoint_folder: Path, weights: Tensors) -> Source:
    return Source(deepcopy(Checkpoint.open(checkpoint_folder).config), dict(weights))


@pytest.fixture(params=[False, True], ids=["plain", "fused"], autouse=True)
def fused(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every test of this file look at the graphs of both kinds of attention."""
    monkeypatch.setattr(sys.modules[__name__], "FUSED", request.param)


FUSED = False


def network(source: Source, folder: Path) -> Network:
    for file, build in (("encoder", graph.build_encoder), ("decoder", graph.build_decoder)):
        model = build(source, fused=FUSED)
        onnx.checker.check_model(model, full_check=not FUSED)
        onnx.save_model(model, folder / f"{file}.onnx")
    return Network(folder, threads=1)


def picture(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((1, 3, 16, 16)).astype(np.float32)


TOKENS = [38, 5, 9, 9, 30, 3]


def check(source: Source, folder: Path) -> None:
    reference = Reference(source.config, source.tensors)
    expected = reference.logits(reference.see(picture()), TOKENS)
    np.testing.assert_allclose(network(source, folder).logits(picture(), TOKENS), expected, atol=2e-5)


def test_logits(source: Source, tmp_path: Path) -> None:
    check(source, tmp_path)


@pytest.mark.parametrize("activation", ["gelu_new", "relu", "quick_gelu"])
def test_the_configs_activation_rules(source: Source, tmp_path: Path, activation: str) -> None:
    source.config["text_config"]["hidden_act"] = activation
    check(source, tmp_path)


def test_heads_come_from_the_config_and_else_are_eight(source: Source, tmp_path: Path) -> None:
    source.config["text_config"]["num_attention_heads"] = None
    model = network(source, tmp_path)
    assert model.cache_shape == (8, 2)
    source.config["text_config"]["num_attention_heads"] = 8
    check(source, tmp_path)


def test_cross_keys_and_values_come_by_head(source: Source, tmp_path: Path) -> None:
    reference = Reference(source.config, source.tensors)
    seen = reference.see(picture())
    crossed = network(source, tmp_path).encode(picture())
    assert sorted(crossed) == ["cross_key_0", "cross_key_1", "cross_value_0", "cross_value_1"]
    name = "text_decoder.bert.encoder.layer.1.crossattention.self"
    key, value = (reference.linear(f"{name}.{part}", seen).reshape(5, 2, 8) for part in ("key", "value"))
    np.testing.assert_allclose(crossed["cross_key_1"].numpy()[0], key.transpose(1, 0, 2), atol=2e-5)
    np.testing.assert_allclose(crossed["cross_value_1"].numpy()[0], value.transpose(1, 0, 2), atol=2e-5)


def test_cached_steps_give_what_all_at_once_gives(source: Source, tmp_path: Path) -> None:
    model = network(source, tmp_path)
    whole = model.logits(picture(), TOKENS)
    decoding = Decoding(model, model.encode(picture()))
    steps = [decoding.feed(np.array([TOKENS[:3]]), [0])[0]]  # a prompt of several tokens, then one by one
    steps += [decoding.feed(np.array([[token]]), [0])[0] for token in TOKENS[3:]]
    np.testing.assert_allclose(np.concatenate(steps), whole, atol=1e-5)


def test_an_own_head_and_its_bias_win_over_the_tied_ones(source: Source, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    source.tensors["text_decoder.cls.predictions.decoder.weight"] = random.standard_normal((40, 16)).astype(np.float32)
    source.tensors["text_decoder.cls.predictions.decoder.bias"] = random.standard_normal(40).astype(np.float32)
    check(source, tmp_path)


def test_a_head_equal_to_the_embeddings_is_stored_once(source: Source) -> None:
    words = source.tensors["text_decoder.bert.embeddings.word_embeddings.weight"]
    alone = graph.build_decoder(source).SerializeToString()
    source.tensors["text_decoder.cls.predictions.decoder.weight"] = words.copy()
    assert graph.build_decoder(source).SerializeToString() == alone


def test_half_precision_and_buffers(source: Source, tmp_path: Path) -> None:
    source.tensors = {name: tensor.astype(np.float16) for name, tensor in source.tensors.items()}
    source.tensors["text_decoder.bert.embeddings.position_ids"] = np.arange(24)[None]
    check(source, tmp_path)


def test_two_pictures_at_once(source: Source, tmp_path: Path) -> None:
    model = network(source, tmp_path)
    both = model.encode(np.concatenate([picture(0), picture(1)]))
    one = model.encode(picture(1))
    for name, value in both.items():
        np.testing.assert_allclose(value.numpy()[1:], one[name].numpy(), atol=1e-5)


def test_names_tell_the_layer(source: Source) -> None:
    for model in (graph.build_encoder(source), graph.build_decoder(source)):
        names = [node.name for node in model.graph.node]
        assert len(set(names)) == len(names)
        assert all(node.name in {node.output[0], node.output[0].rpartition(".")[0]} for node in model.graph.node)
    assert {"text.layer_1.cross.query", "text.layer_1.self.query_key_value", "text.layer_0.feed_forward.inner"} < {
        node.name for node in graph.build_decoder(source).graph.node
    }


@pytest.mark.parametrize(
    ("part", "key", "value", "expected"),
    [
        ("text_config", "hidden_act", "swish-ish", "activation swish-ish"),
        ("text_config", "intermediate_size", 33, r"intermediate\.dense\.weight has shape"),
        ("text_config", "num_attention_heads", 3, "3 attention heads"),
        ("text_config", "num_hidden_layers", "two", "num_hidden_layers"),
        ("vision_config", "num_hidden_layers", 3, r"no tensor vision_model\.encoder\.layers\.2"),
    ],
)
def test_what_does_not_fit_is_told(source: Source, part: str, key: str, value: object, expected: str) -> None:
    source.config[part][key] = value
    build = graph.build_encoder if part == "vision_config" else graph.build_decoder
    with pytest.raises(CheckpointError, match=expected) as caught:
        build(source)
    assert caught.value.next_step


def test_other_models_are_refused(source: Source) -> None:
    source.config["model_type"] = "blip-2"
    with pytest.raises(CheckpointError, match="blip-2"):
        graph.build_encoder(source)
