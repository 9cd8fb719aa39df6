"""BLIP as two ONNX graphs, written node by node from a checkpoint's config and tensors.

The encoder sees a picture once and returns what every text layer's cross-attention needs of it. The decoder takes
tokens and the keys and values of those before them, and returns the scores of the next token. The scale of each
attention (1 / square root of the head's size) is folded into the weights of its query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from appliance.modelstore.architecture import Dimensions, Text, Vision
from appliance.modelstore.layers import Graph, Weights
from appliance.modelstore.weights_file import Keep

DECODER = "blip_decoder"  # the graph's name
_LOWEST = float(np.finfo(np.float32).min)


class Source(Protocol):
    """What the graphs are built from: a checkpoint's config.json and its tensors by Hugging Face's names."""

    @property
    def config(self) -> Mapping[str, Any]: ...

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]: ...


def build_encoder(
    checkpoint: Source, keep: Keep = numpy_helper.from_array, *, fused: bool = False, half: bool = False
) -> onnx.ModelProto:
    """Return the encoder graph.

    In: `pixels` [batch, 3, height, width]. Out, for each text layer i: `cross_key_i` and `cross_value_i` [batch, heads,
    patches + 1, size]. What `keep`, `fused` and `half` mean is told at `layers.Graph`; pixels and logits are float32.
    Raises CheckpointError where a tensor is missing or does not fit the config.
    """
    dimensions = Dimensions.read(checkpoint.config)
    vision, text = dimensions.vision, dimensions.text
    weights = Weights(checkpoint.tensors)
    graph = Graph("blip_encoder", keep, fused=fused, half=half)
    pixels = graph.float32_input("pixels", ["batch", 3, vision.image, vision.image])
    hidden = _patches(graph, weights, vision, pixels)
    for index in range(vision.layers):
        hidden = _vision_layer(graph, weights, vision, index, hidden)
    parameters = weights.norm("vision_model.post_layernorm", vision.width)
    seen = graph.norm("vision.norm", hidden, parameters, vision.epsilon)
    size = text.width // text.heads
    for index in range(text.layers):
        name, source = f"text.layer_{index}.cross", f"text_decoder.bert.encoder.layer.{index}.crossattention.self"
        key = graph.linear(f"{name}.key", seen, weights.linear(f"{source}.key", vision.width, text.width))
        value = graph.linear(f"{name}.value", seen, weights.linear(f"{source}.value", vision.width, text.width))
        graph.heads(f"cross_key_{index}", key, text.heads, size)
        graph.heads(f"cross_value_{index}", value, text.heads, size)
        graph.output(f"cross_key_{index}", ["batch", text.heads, vision.patches, size])
        graph.output(f"cross_value_{index}", ["batch", text.heads, vision.patches, size])
    return graph.model(format=1)


def build_decoder(
    checkpoint: Source, keep: Keep = numpy_helper.from_array, *, fused: bool = False, half: bool = False
) -> onnx.ModelProto:
    """Return the decoder graph.

    In: `tokens` int64 [batch, n]; for each layer i `past_key_i`, `past_value_i` [batch, heads, past, size] (past is 0
    at the start) and the encoder's `cross_key_i`, `cross_value_i`, of as many pictures as
    divide the batch: the rows of one stand together.
    Out: `logits` [batch, n, vocabulary]; `key_i`, `value_i` [batch, heads, past + n, size].
    Raises CheckpointError where a tensor is missing or does not fit the config.
    """
    dimensions = Dimensions.read(checkpoint.config)
    text, patches = dimensions.text, dimensions.vision.patches
    weights = Weights(checkpoint.tensors)
    graph = Graph(DECODER, keep, fused=fused, half=half)
    size = text.width // text.heads
    tokens = graph.input("tokens", ["batch", "n"], integer=True)
    for index in range(text.layers):
        graph.input(f"past_key_{index}", ["batch", text.heads, "past", size])
        graph.input(f"past_value_{index}", ["batch", text.heads, "past", size])
        graph.input(f"cross_key_{index}", ["pictures", text.heads, patches, size])
        graph.input(f"cross_value_{index}", ["pictures", text.heads, patches, size])
    positions, mask = _positions(graph, tokens)
    shapes = _shapes(graph, tokens, text.width)
    words = weights.take("text_decoder.bert.embeddings.word_embeddings.weight", text.vocabulary, text.width)
    hidden = _words(graph, weights, text, words, tokens, positions)
    for index in range(text.layers):
        hidden = _self_attention(graph, weights, text, index, hidden, mask)
        hidden = _cross_attention(graph, weights, text, index, hidden, shapes)
        hidden = _feed_forward(graph, weights, text, index, hidden)
    scores = _scores(graph, weights, text, words, hidden)
    graph.float32_output("logits", scores, ["batch", "n", text.vocabulary])
    for index in range(text.layers):
        graph.output(f"key_{index}", ["batch", text.heads, "total", size])
        graph.output(f"value_{index}", ["batch", text.heads, "total", size])
    return graph.model(format=1, positions=text.positions)


def _patches(graph: Graph, weights: Weights, vision: Vision, pixels: str) -> str:
    source, side = "vision_model.embeddings", vision.patch
    kernel = weights.take(f"{source}.patch_embedding.weight", vision.width, 3, side, side)
    bias = weights.take(f"{source}.patch_embedding.bias", vision.width)
    cut = graph.node(
        "Conv", "vision.patches.cut", pixels,
        graph.weight("vision.patches.weight", kernel), graph.weight("vision.patches.bias", bias),
        kernel_shape=[side, side], strides=[side, side],
    )  # fmt: skip
    rows = graph.node("Reshape", "vision.patches.rows", cut, graph.integers([0, 0, vision.grid**2]))
    patches = graph.node("Transpose", "vision.patches", rows, perm=[0, 2, 1])
    first = graph.weight("vision.class.weight", weights.take(f"{source}.class_embedding", 1, 1, vision.width))
    batch = graph.node("Shape", "vision.batch", pixels, start=0, end=1)
    shape = graph.node("Concat", "vision.class.shape", batch, graph.integers([1, 1]), axis=0)
    spread = graph.node("Expand", "vision.class", first, shape)
    joined = graph.node("Concat", "vision.joined", spread, patches, axis=1)
    places = weights.take(f"{source}.position_embedding", 1, vision.patches, vision.width)
    return graph.node("Add", "vision.placed", joined, graph.weight("vision.places", places))


def _vision_layer(graph: Graph, weights: Weights, vision: Vision, index: int, hidden: str) -> str:
    name, source = f"vision.layer_{index}", f"vision_model.encoder.layers.{index}"
    size = vision.width // vision.heads
    normed = graph.norm(f"{name}.norm", hidden, weights.norm(f"{source}.layer_norm1", vision.width), vision.epsilon)
    weight, bias = weights.linear(f"{source}.self_attn.qkv", vision.width, 3 * vision.width)
    weight, bias = _scaled(weight, bias, size, vision.width)
    # Three products: cutting one's result into three would copy it, which for a whole picture costs more.
    query, key, value = (
        graph.linear(f"{name}.attention.{part}", normed, (rows, shift))
        for part, rows, shift in zip(("query", "key", "value"), np.split(weight, 3), np.split(bias, 3), strict=True)
    )
    context = graph.attend(f"{name}.attention", query, key, value, vision.heads, vision.width)
    parameters = weights.linear(f"{source}.self_attn.projection", vision.width, vision.width)
    attended = graph.linear(f"{name}.attention.output", context, parameters)
    hidden = graph.node("Add", f"{name}.attended", attended, hidden)
    normed = graph.norm(f"{name}.norm_2", hidden, weights.norm(f"{source}.layer_norm2", vision.width), vision.epsilon)
    inner = graph.linear(f"{name}.inner", normed, weights.linear(f"{source}.mlp.fc1", vision.width, vision.inner))
    active = graph.activation(f"{name}.active", inner, vision.activation)
    outer = graph.linear(f"{name}.outer", active, weights.linear(f"{source}.mlp.fc2", vision.inner, vision.width))
    return graph.node("Add", name, outer, hidden)


def _positions(graph: Graph, tokens: str) -> tuple[str, str]:
    """Return the new tokens' positions [n] and the causal mask [n, past + n]: 0 where a token may look, else lowest."""
    past = graph.node("Shape", "text.past", "past_key_0", start=2, end=3)
    new = graph.node("Shape", "text.new", tokens, start=1, end=2)
    total = graph.node("Add", "text.total", past, new)
    one, zero, axis = graph.integers(1), graph.integers(0), graph.integers([0])
    start = graph.node("Squeeze", "text.start", past, axis)
    end = graph.node("Squeeze", "text.end", total, axis)
    positions = graph.node("Range", "text.positions", start, end, one)
    columns = graph.node("Range", "text.columns", zero, end, one)
    rows = graph.node("Unsqueeze", "text.rows", positions, graph.integers([1]))
    seen = graph.node("LessOrEqual", "text.seen", columns, rows)
    allowed = graph.weight("text.mask.allowed", np.array(0, dtype=np.float32))
    hidden = graph.weight("text.mask.hidden", np.array(_LOWEST, dtype=np.float32))
    return positions, graph.node("Where", "text.mask", seen, allowed, hidden)


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Names of shapes for Reshape: [pictures, rest, width] and [batch, n, width]."""

    pictures: str
    rows: str


def _shapes(graph: Graph, tokens: str, width: int) -> _Shapes:
    pictures = graph.node("Shape", "text.pictures", "cross_key_0", start=0, end=1)
    return _Shapes(
        graph.node("Concat", "text.shape_by_picture", pictures, graph.integers([-1, width]), axis=0),
        graph.node("Concat", "text.shape", graph.node("Shape", "text.tokens", tokens), graph.integers([width]), axis=0),
    )


def _words(graph: Graph, weights: Weights, text: Text, words: NDArray[np.float32], tokens: str, positions: str) -> str:
    source = "text_decoder.bert.embeddings"
    places = weights.take(f"{source}.position_embeddings.weight", text.positions, text.width)
    word = graph.node("Gather", "text.word", graph.weight("text.words", words), tokens)
    place = graph.node("Gather", "text.place", graph.weight("text.places", places), positions)
    placed = graph.node("Add", "text.placed", word, place)
    return graph.norm("text.norm", placed, weights.norm(f"{source}.LayerNorm", text.width), text.epsilon)


def _self_attention(graph: Graph, weights: Weights, text: Text, index: int, hidden: str, mask: str) -> str:
    name, source = f"text.layer_{index}.self", f"text_decoder.bert.encoder.layer.{index}.attention"
    size = text.width // text.heads
    parts = [weights.linear(f"{source}.self.{part}", text.width, text.width) for part in ("query", "key", "value")]
    weight, bias = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    # One product for all three: at one token a step, what counts is how often the processor has to start anew.
    mixed = graph.linear(f"{name}.query_key_value", hidden, _scaled(weight, bias, size, text.width))
    apart = graph.split(name, mixed, ("query", "key", "value"), axis=2)
    past, present = ([f"{when}key_{index}", f"{when}value_{index}"] for when in ("past_", ""))
    context = graph.attend_causally(name, apart, past, present, mask, text.heads, text.width)
    return _output(graph, weights, text, name, f"{source}.output", context, hidden)


def _cross_attention(graph: Graph, weights: Weights, text: Text, index: int, hidden: str, shapes: "_Shapes") -> str:
    name, source = f"text.layer_{index}.cross", f"text_decoder.bert.encoder.layer.{index}.crossattention"
    size = text.width // text.heads
    weight, bias = weights.linear(f"{source}.self.query", text.width, text.width)
    query = graph.linear(f"{name}.query", hidden, _scaled(weight, bias, size, text.width))
    # The beams of one picture stand in one row, so that its keys and values are there once.
    together = graph.node("Reshape", f"{name}.query_together", query, shapes.pictures)
    context = graph.attend_elsewhere(
        name, together, f"cross_key_{index}", f"cross_value_{index}", text.heads, text.width
    )
    apart = graph.node("Reshape", f"{name}.context_apart", context, shapes.rows)
    return _output(graph, weights, text, name, f"{source}.output", apart, hidden)


def _output(graph: Graph, weights: Weights, text: Text, name: str, source: str, context: str, hidden: str) -> str:
    inputs = text.inner if name.endswith(".feed_forward") else text.width
    outer = graph.linear(f"{name}.output", context, weights.linear(f"{source}.dense", inputs, text.width))
    added = graph.node("Add", f"{name}.added", outer, hidden)
    return graph.norm(f"{name}.norm", added, weights.norm(f"{source}.LayerNorm", text.width), text.epsilon)


def _feed_forward(graph: Graph, weights: Weights, text: Text, index: int, hidden: str) -> str:
    name, source = f"text.layer_{index}.feed_forward", f"text_decoder.bert.encoder.layer.{index}"
    inner = graph.linear(
        f"{name}.inner", hidden, weights.linear(f"{source}.intermediate.dense", text.width, text.inner)
    )
    active = graph.activation(f"{name}.active", inner, text.activation)
    return _output(graph, weights, text, name, f"{source}.output", active, hidden)


def _scores(graph: Graph, weights: Weights, text: Text, words: NDArray[np.float32], hidden: str) -> str:
    source = "text_decoder.cls.predictions"
    dense = graph.linear("text.head.dense", hidden, weights.linear(f"{source}.transform.dense", text.width, text.width))
    active = graph.activation("text.head.active", dense, text.activation)
    normed = graph.norm(
        "text.head.norm", active, weights.norm(f"{source}.transform.LayerNorm", text.width), text.epsilon
    )
    table = "text.words"  # tied to the word embeddings unless the checkpoint brings another table
    if f"{source}.decoder.weight" in weights:
        own = weights.take(f"{source}.decoder.weight", text.vocabulary, text.width)
        if not np.array_equal(own, words):
            table = graph.weight("text.head.words", own)
    bias = f"{source}.decoder.bias" if f"{source}.decoder.bias" in weights else f"{source}.bias"
    turned = graph.node("Transpose", "text.head.words_transposed", table, perm=[1, 0])
    product = graph.node("MatMul", "text.head.product", normed, turned)
    return graph.node("Add", "text.head", product, graph.weight("text.head.bias", weights.take(bias, text.vocabulary)))


def _scaled(
    weight: NDArray[np.float32], bias: NDArray[np.float32], size: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return copies of `weight` and `bias` whose first `width` rows, the query's, are divided by the root of `size`."""
    scale = np.ones(len(weight), dtype=np.float32)
    scale[:width] = 1 / np.sqrt(size)
    return weight * scale[:, None], bias * scale
