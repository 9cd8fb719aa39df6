"""Graphs of one product each, [rows, inputs] by a constant [inputs, outputs], in every form that onnxruntime knows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Nodes = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]
Weight = NDArray[np.float32]
CONTRIB = "com.microsoft"


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def constant(name: str, values: NDArray[Any]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(values), name)


def in_float(weight: Weight) -> Nodes:
    return [node("MatMul", "x w", "y")], [constant("w", weight)]


def in_half(weight: Weight) -> Nodes:
    """The product in half precision; the casts around it cost a few instructions a number."""
    nodes = [node("Cast", "x", "x16", to=TensorProto.FLOAT16), node("MatMul", "x16 w", "y16")]
    return [*nodes, node("Cast", "y16", "y", to=TensorProto.FLOAT)], [constant("w", weight.astype(np.float16))]


def whole(weight: Weight, *, signed: bool, per_channel: bool, activations: str = "dynamic") -> Nodes:
    """int8 weights; activations as uint8, scaled as they come, or as int8 with a scale fixed beforehand."""
    scale = np.abs(weight).max(axis=0 if per_channel else None).astype(np.float32) / 127
    steps = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
    zero = np.zeros(scale.shape, np.int8)
    if not signed:
        steps, zero = (steps.astype(np.int16) + 128).astype(np.uint8), np.full(scale.shape, 128, np.uint8)
    tensors = [constant("w", steps), constant("w_scale", scale), constant("w_zero", zero)]
    if activations == "dynamic":
        first = node("DynamicQuantizeLinear", "x", "x8 x_scale x_zero")
    else:
        first = node("QuantizeLinear", "x x_scale x_zero", "x8")
        tensors += [constant("x_scale", np.array(0.03, np.float32)), constant("x_zero", np.array(0, np.int8))]
    nodes = [first, node("MatMulInteger", "x8 w x_zero w_zero", "y32"), node("Cast", "y32", "y_", to=TensorProto.FLOAT)]
    return [*nodes, node("Mul", "x_scale w_scale", "scale"), node("Mul", "y_ scale", "y")], tensors


def in_blocks(weight: Weight, *, bits: int, block: int, level: int) -> Nodes:
    """MatMulNBits: blocks of so many weights share a scale; level 4 multiplies in int8, 0 in float."""
    inputs, outputs = weight.shape
    blocks = weight.T.reshape(outputs, inputs // block, block)
    middle = 1 << bits - 1
    scale = np.abs(blocks).max(axis=2, keepdims=True) / (middle - 1)
    steps = (np.rint(blocks / scale) + middle).astype(np.uint8)
    if bits == 4:
        steps = steps[:, :, 0::2] | steps[:, :, 1::2] << 4
    about = {"K": inputs, "N": outputs, "bits": bits, "block_size": block, "accuracy_level": level}
    tensors = [constant("w", steps), constant("w_scale", scale.astype(np.float32).ravel())]
    return [helper.make_node("MatMulNBits", ["x", "w", "w_scale"], ["y"], domain=CONTRIB, **about)], tensors


FORMS: dict[str, Callable[[Weight], Nodes]] = {
    "float": in_float,
    "fp16": in_half,
    "int8, signed, per channel": lambda weight: whole(weight, signed=True, per_channel=True),
    "int8, signed, one scale": lambda weight: whole(weight, signed=True, per_channel=False),
    "int8, unsigned, per channel": lambda weight: whole(weight, signed=False, per_channel=True),
    "int8, unsigned, one scale": lambda weight: whole(weight, signed=False, per_channel=False),
    "int8, signed × signed activations of a fixed scale": lambda weight: whole(
        weight, signed=True, per_channel=True, activations="fixed"
    ),
    "8 bits, blocks of 32, level 4": lambda weight: in_blocks(weight, bits=8, block=32, level=4),
    "8 bits, blocks of 128, level 4": lambda weight: in_blocks(weight, bits=8, block=128, level=4),
    "4 bits, blocks of 32, level 4": lambda weight: in_blocks(weight, bits=4, block=32, level=4),
    "4 bits, blocks of 64, level 4": lambda weight: in_blocks(weight, bits=4, block=64, level=4),
    "4 bits, blocks of 128, level 4": lambda weight: in_blocks(weight, bits=4, block=128, level=4),
    "4 bits, blocks of 32, level 0": lambda weight: in_blocks(weight, bits=4, block=32, level=0),
    "4 bits, blocks of 64, level 0": lambda weight: in_blocks(weight, bits=4, block=64, level=0),
}


def model(nodes: list[onnx.NodeProto], tensors: list[onnx.TensorProto], inputs: int, outputs: int) -> onnx.ModelProto:
    """Return the model from `x` [rows, inputs] to `y` [rows, outputs]."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", inputs])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", outputs])
    graph = helper.make_graph(nodes, "product", [x], [y], tensors)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)
