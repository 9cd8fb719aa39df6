"""Write a graph's quantised twin: products with a constant weight are done in whole numbers, all else stays float.

int8: weights are stored as int8, symmetric, with one scale for each output channel; activations are quantised to uint8
as they come, one scale for each tensor (DynamicQuantizeLinear). The nodes are those that onnxruntime fuses into a
single int8 product with bias when it loads the graph. Signed weights suit ARM, whose kernels take them as they are, and
x86 with VNNI. Older x86 would overflow on uint8 times int8; there the session asks for onnxruntime's exact way
(`session.x64quantprecision`) rather than giving up a bit of every weight for every machine.

Of all of them the product before the LM head loses most for its size (models/sensitivity.py): it stays float, too.

mixed: as int8, with those layers left float that lose most after it.
int4: as int8, with the decoder's layers in 4 bits, one scale for every 32 weights of a channel (MatMulNBits), as it
is reading the weights that a token takes its time for.

The products inside attention (query with key, shares with value), normalisation, the convolution that cuts the picture
into patches and the position embeddings stay float. Where one table is both word embeddings and LM head, so it is here.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from appliance.modelstore.graph import DECODER
from appliance.modelstore.layers import CONTRIB
from appliance.modelstore.weights_file import Keep, WeightsFile, read, settle

QUANTIZED = ("int8", "mixed", "int4")
_FLOAT = {"mixed": re.compile(r"(\.(outer|feed_forward\.output)|text\.head\.dense)\.product$")}
_ALWAYS_FLOAT = re.compile(r"text\.head\.dense\.product$")
_BLOCK = 32  # weights that share a scale in 4 bits
_IN_4_BITS = re.compile(r"text\.layer_\d+\..*\.product$")
_LAST = "last_axis"
_CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8)  # of a block's largest weight: giving up a bit of that one serves the others


def quantize(model: Path, out: Path, variant: str = "int8", report: Callable[[int], None] = lambda _: None) -> None:
    """Read the float graph `model` and write a quantised twin to `out`; raises OSError where either cannot be done.

    `variant` is one of QUANTIZED. One weight at a time is in memory; `report` gets the bytes of each that was written.
    """
    graph = onnx.load(model, load_external_data=False)
    with WeightsFile(out, report) as file:
        quantize_model(graph, variant, model.parent, file.keep)
    onnx.save_model(graph, out)
    settle(out)


def quantize_model(
    model: onnx.ModelProto, variant: str = "int8", folder: Path = Path(), keep: Keep = numpy_helper.from_array
) -> None:
    """Turn the float graph `model`, whose weights may lie in files in `folder`, into a quantised twin, in place."""
    _Quantizer(model.graph, variant, folder, keep).run()
    if any(node.op_type == "MatMulNBits" for node in model.graph.node):
        if all(opset.domain != CONTRIB for opset in model.opset_import):
            model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def quantized(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return `weight` [a, b] as int8 and the scales of its rows (`axis` 0) or columns (`axis` 1).

    weight ≈ int8 * scale; a channel of zeros has the scale 1.
    """
    largest = np.abs(weight).max(axis=1 - axis)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    steps = weight / np.expand_dims(scale, 1 - axis)
    np.rint(steps, out=steps)
    return np.clip(steps, -127, 127, out=steps).astype(np.int8), scale


def quantized_in_4_bits(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return `weight` [inputs, outputs] as MatMulNBits takes it, and the scales [outputs * blocks].

    The numbers [outputs, blocks, _BLOCK / 2] hold two each, the earlier in the low bits, with 8 for zero; `inputs` is a
    multiple of _BLOCK. Of a few scales a block takes the one with the least square error.
    """
    blocks = weight.T.reshape(weight.shape[1], -1, _BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)
    best: NDArray[np.uint8] = np.full(blocks.shape, 8, dtype=np.uint8)
    scales = np.ones_like(largest)
    least = np.full(largest.shape, np.inf, dtype=np.float32)
    for clip in _CLIPS:
        scale = np.where(largest == 0, 1, largest * np.float32(clip) / np.float32(-8))
        steps = np.clip(np.rint(blocks / scale), -8, 7)
        error = np.square(steps * scale - blocks).sum(-1, keepdims=True)
        better = error < least
        best = np.where(better, (steps + 8).astype(np.uint8), best)
        scales = np.where(better, scale, scales)
        least = np.where(better, error, least)
    packed = np.bitwise_or(best[..., 0::2], best[..., 1::2] << 4, dtype=np.uint8)
    return packed, scales.ravel()


class _Quantizer:
    """One pass over a graph's nodes, in order."""

    def __init__(self, graph: onnx.GraphProto, variant: str, folder: Path, keep: Keep) -> None:
        self._graph = graph
        self._variant = variant
        self._folder = folder
        self._keep = keep
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._made: dict[str, onnx.TensorProto] = {}
        self._turned: dict[str, str] = {}  # result of a Transpose of a weight -> the weight
        self._activations: set[str] = set()  # tensors that have their uint8 form
        self._nodes: list[onnx.NodeProto] = []

    def run(self) -> None:
        nodes = list(self._graph.node)
        for node in nodes:
            if node.op_type == "Transpose" and node.input[0] in self._weights:
                self._turned[node.output[0]] = node.input[0]
        tables = set(self._turned.values())
        for node in nodes:
            if _FLOAT.get(self._variant, _ALWAYS_FLOAT).search(node.output[0]):
                self._nodes.append(node)
            elif node.op_type == "MatMul" and node.input[1] in self._weights and self._fits_4_bits(node):
                self._product_in_4_bits(node, node.input[1])
            elif node.op_type == "MatMul" and node.input[1] in self._weights:
                self._product(node, node.input[1], axis=1)
            elif node.op_type == "MatMul" and node.input[1] in self._turned:
                self._product(node, self._turned[node.input[1]], axis=0)
            elif node.op_type == "Gather" and node.input[0] in tables:
                self._lookup(node)
            elif node.output[0] not in self._turned:
                self._nodes.append(node)
        used = {name for node in self._nodes for name in node.input}
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        left = [tensor for name, tensor in self._weights.items() if name in used]
        left = [self._keep(read(tensor, self._folder), tensor.name) for tensor in left]
        del self._graph.initializer[:]
        self._graph.initializer.extend([*left, *self._made.values()])

    def _fits_4_bits(self, node: onnx.NodeProto) -> bool:
        wanted = self._variant == "int4" and self._graph.name == DECODER and _IN_4_BITS.match(node.output[0])
        return bool(wanted) and self._weights[node.input[1]].dims[0] % _BLOCK == 0

    def _product_in_4_bits(self, node: onnx.NodeProto, weight: str) -> None:
        """Replace a product with `weight` [inputs, outputs]; the kernel itself quantises the activations, to int8."""
        inputs, outputs = self._weights[weight].dims
        whole, scale = f"{weight}.int4", f"{weight}.int4_scale"
        numbers, scales = quantized_in_4_bits(read(self._weights[weight], self._folder))
        self._made |= {whole: self._keep(numbers, whole), scale: self._keep(scales, scale)}
        self._add(
            "MatMulNBits", node.output[0], node.input[0], whole, scale,
            domain=CONTRIB, K=inputs, N=outputs, bits=4, block_size=_BLOCK, accuracy_level=4,
        )  # fmt: skip

    def _product(self, node: onnx.NodeProto, weight: str, axis: int) -> None:
        """Replace a product with `weight`, whose output channels lie along `axis`."""
        tensor, name = node.input[0], node.output[0]
        whole, scale = self._store(weight, axis)
        if axis == 0:
            # Turned by onnxruntime on loading; of the mapped table only the rows that are looked up stay in memory.
            self._add("Transpose", f"{whole}_turned", whole, perm=[1, 0])
            whole = f"{whole}_turned"
        if tensor not in self._activations:
            # Once for each tensor, however many products (the cross-attentions' keys and values) take it.
            self._activations.add(tensor)
            parts = [f"{tensor}.{part}" for part in ("uint8", "uint8_scale", "uint8_zero")]
            self._nodes.append(helper.make_node("DynamicQuantizeLinear", [tensor], parts, name=f"{tensor}.quantize"))
        self._add("MatMulInteger", f"{name}.int32", f"{tensor}.uint8", whole, f"{tensor}.uint8_zero")
        self._add("Cast", f"{name}.counted", f"{name}.int32", to=onnx.TensorProto.FLOAT)
        self._add("Mul", f"{name}.scale", f"{tensor}.uint8_scale", scale)
        self._add("Mul", name, f"{name}.counted", f"{name}.scale")

    def _lookup(self, node: onnx.NodeProto) -> None:
        """Replace looking rows up in a table."""
        rows, name = node.input[1], node.output[0]
        whole, scale = self._store(node.input[0], axis=0)
        self._add("Gather", f"{name}.rows", whole, rows)
        self._add("Cast", f"{name}.counted", f"{name}.rows", to=onnx.TensorProto.FLOAT)
        self._add("Gather", f"{name}.scale", scale, rows)
        self._made[_LAST] = self._keep(np.array([-1], dtype=np.int64), _LAST)
        self._add("Unsqueeze", f"{name}.scale_by_row", f"{name}.scale", _LAST)
        self._add("Mul", name, f"{name}.counted", f"{name}.scale_by_row")

    def _store(self, weight: str, axis: int) -> tuple[str, str]:
        """Add `weight` as int8 and the scales of its rows (`axis` 0) or columns (1); return their names."""
        whole, scale = f"{weight}.int8", f"{weight}.int8_scale"
        if whole not in self._made:
            numbers, scales = quantized(read(self._weights[weight], self._folder), axis)
            self._made |= {whole: self._keep(numbers, whole), scale: self._keep(scales, scale)}
        return whole, scale

    def _add(self, op: str, name: str, *inputs: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
