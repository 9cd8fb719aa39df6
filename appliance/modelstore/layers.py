"""Building blocks of an ONNX graph: every node bears the name of the tensor it makes, and that name tells the layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from appliance.errors import CheckpointError
from appliance.modelstore.weights_file import Keep

# Gelu came with opset 20. IR 10 is what onnxruntime has read since 1.18.
OPSET, IR_VERSION = 20, 10
CONTRIB = "com.microsoft"  # onnxruntime's own operators


class Weights:
    """A checkpoint's tensors, taken by name as float32 and with the shape that the config promises."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._tensors = tensors

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return tensor `name`; raise CheckpointError where it is missing or has another shape."""
        if name not in self._tensors:
            raise CheckpointError(
                "The checkpoint has no tensor {name}.",
                "It is incomplete or not BLIP for captions: download it again.",
                name=name,
            )
        tensor = np.asarray(self._tensors[name], dtype=np.float32)
        if tensor.shape != shape:
            raise CheckpointError(
                "Tensor {name} has shape {shape} where config.json asks for {wanted}.",
                "config.json and the weights belong to different models: download both again.",
                name=name,
                shape=list(tensor.shape),
                wanted=list(shape),
            )
        return tensor

    def linear(self, name: str, inputs: int, outputs: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a linear layer's weight [outputs, inputs] and bias [outputs]."""
        return self.take(f"{name}.weight", outputs, inputs), self.take(f"{name}.bias", outputs)

    def norm(self, name: str, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a layer normalisation's scale [width] and shift [width]."""
        return self.take(f"{name}.weight", width), self.take(f"{name}.bias", width)


class Graph:
    """An ONNX graph in the making. Methods add nodes and return the name of the tensor that they make.

    A `fused` one takes onnxruntime's own operator for attention, which is quicker and takes less memory; another keeps
    to ONNX's operators, which every execution provider knows. A `half` one computes in float16. `keep` makes a constant
    of each weight: in memory, or in a file beside the graph.
    """

    def __init__(
        self, name: str, keep: Keep = numpy_helper.from_array, *, fused: bool = False, half: bool = False
    ) -> None:
        self._name = name
        self._keep = keep
        self._fused = fused
        self._half = half
        self._float = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        self._nodes: list[Any] = []
        self._initializers: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, shape: Sequence[int | str], *, integer: bool = False) -> str:
        """Declare an input of the graph's floats, or int64 where `integer`. A dimension given by name may vary."""
        kind = TensorProto.INT64 if integer else self._float
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare the tensor `name`, of the graph's floats, an output."""
        self._outputs.append(helper.make_tensor_value_info(name, self._float, shape))
        return name

    def float32_input(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare a float32 input and return it as the graph's floats."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return self.node("Cast", f"{name}.taken", name, to=self._float)  # a cast to the same is left out on loading

    def float32_output(self, name: str, tensor: str, shape: Sequence[int | str]) -> str:
        """Give out `tensor` as the float32 output `name`."""
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return self.node("Cast", name, tensor, to=TensorProto.FLOAT)

    def node(self, op: str, name: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output, both called `name`."""
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def split(self, name: str, tensor: str, parts: Sequence[str], axis: int) -> list[str]:
        """Cut `tensor` along `axis` into equal parts called `name`.part."""
        outputs = [f"{name}.{part}" for part in parts]
        self._nodes.append(helper.make_node("Split", [tensor], outputs, name=name, axis=axis, num_outputs=len(parts)))
        return outputs

    def weight(self, name: str, values: NDArray[np.float32]) -> str:
        """Add a constant of the graph's floats; one too large for float16 becomes its largest."""
        if name not in self._initializers:
            array = np.ascontiguousarray(values, dtype=np.float32)
            if self._half:
                most = np.finfo(np.float16).max
                array = np.clip(array, -most, most).astype(np.float16)
            self._initializers[name] = self._keep(array, name)
        return name

    def integers(self, values: ArrayLike) -> str:
        """Add an int64 constant, named by its values and shared among its users."""
        array = np.asarray(values, dtype=np.int64)
        name = f"integers.{array.ndim}d.{'_'.join(str(value) for value in array.ravel().tolist())}"
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(array, name)
        return name

    def linear(self, name: str, tensor: str, parameters: tuple[NDArray[np.float32], NDArray[np.float32]]) -> str:
        """Multiply [..., inputs] by a weight given as [outputs, inputs] and add the bias: [..., outputs]."""
        weight, bias = parameters
        product = self.node("MatMul", f"{name}.product", tensor, self.weight(f"{name}.weight", weight.T))
        return self.node("Add", name, product, self.weight(f"{name}.bias", bias))

    def norm(
        self, name: str, tensor: str, parameters: tuple[NDArray[np.float32], NDArray[np.float32]], epsilon: float
    ) -> str:
        """Normalise the last axis."""
        scale, shift = (
            self.weight(f"{name}.{part}", values) for part, values in zip(("scale", "shift"), parameters, strict=True)
        )
        return self.node("LayerNormalization", name, tensor, scale, shift, axis=-1, epsilon=epsilon)

    def activation(self, name: str, tensor: str, kind: str) -> str:
        """Apply the activation that config.json calls `kind`; raise CheckpointError where it is unknown."""
        match kind:
            case "gelu":
                return self.node("Gelu", name, tensor, approximate="none")
            case "gelu_new" | "gelu_pytorch_tanh":
                return self.node("Gelu", name, tensor, approximate="tanh")
            case "relu":
                return self.node("Relu", name, tensor)
            case "quick_gelu":
                slope = self.weight("quick_gelu.slope", np.array(1.702, dtype=np.float32))
                gate = self.node("Sigmoid", f"{name}.gate", self.node("Mul", f"{name}.scaled", tensor, slope))
                return self.node("Mul", name, tensor, gate)
        raise CheckpointError(
            "config.json asks for the activation {kind}, which Shoebox does not know.",
            "Choose another checkpoint.",
            kind=kind,
        )

    def heads(self, name: str, tensor: str, heads: int, size: int) -> str:
        """Turn [batch, n, heads * size] into [batch, heads, n, size]."""
        apart = self.node("Reshape", f"{name}.apart", tensor, self.integers([0, 0, heads, size]))
        return self.node("Transpose", name, apart, perm=[0, 2, 1, 3])

    def join_heads(self, name: str, tensor: str, width: int) -> str:
        """Turn [batch, heads, n, size] back into [batch, n, width]."""
        together = self.node("Transpose", f"{name}.together", tensor, perm=[0, 2, 1, 3])
        return self.node("Reshape", name, together, self.integers([0, 0, width]))

    def attend(self, name: str, query: str, key: str, value: str, heads: int, width: int) -> str:
        """Scaled dot-product attention with the scale already in the query: all of [batch, n, width], as the result."""
        if self._fused:
            return self._fused_attention(name, [query, key, value], heads)
        parts = zip(("query", "key", "value"), (query, key, value), strict=True)
        query, key, value = (
            self.heads(f"{name}.{part}_heads", tensor, heads, width // heads) for part, tensor in parts
        )
        return self._attend(name, query, key, value, width)

    def attend_elsewhere(self, name: str, query: str, key: str, value: str, heads: int, width: int) -> str:
        """As `attend`, with `key` and `value` [batch, heads, m, width / heads] that were made elsewhere."""
        if self._fused:
            return self._fused_attention(name, [query, key, value], heads)
        return self._attend(name, self.heads(f"{name}.query_heads", query, heads, width // heads), key, value, width)

    def attend_causally(
        self,
        name: str,
        mixed: Sequence[str],
        past: Sequence[str],
        present: Sequence[str],
        mask: str,
        heads: int,
        width: int,
    ) -> str:
        """As `attend`, each token looking at those `past` and at the new ones up to itself.

        `mixed` are query, key and value [batch, n, width]; `past` and `present` name the keys and values [batch, heads,
        m, width / heads] that are given and made; `mask` [n, past + n] is added to the scores where nothing is fused.
        """
        if self._fused:
            return self._fused_attention(name, [*mixed, "", "", "", *past], heads, present, unidirectional=1)
        parts = zip(("query", "key", "value"), mixed, strict=True)
        query, *new = [self.heads(f"{name}.{part}_heads", tensor, heads, width // heads) for part, tensor in parts]
        key, value = (
            self.node("Concat", whole, before, after, axis=2)
            for whole, before, after in zip(present, past, new, strict=True)
        )
        return self._attend(name, query, key, value, width, mask)

    def _fused_attention(
        self, name: str, inputs: Sequence[str], heads: int, more: Sequence[str] = (), **attributes: Any
    ) -> str:
        made = f"{name}.context"
        self._nodes.append(
            helper.make_node(
                "MultiHeadAttention", inputs, [made, *more], name=made,
                domain=CONTRIB, num_heads=heads, scale=1.0, **attributes,
            )
        )  # fmt: skip
        return made

    def _attend(self, name: str, query: str, key: str, value: str, width: int, mask: str | None = None) -> str:
        turned = self.node("Transpose", f"{name}.key_transposed", key, perm=[0, 1, 3, 2])
        scores = self.node("MatMul", f"{name}.scores", query, turned)
        if mask is not None:
            scores = self.node("Add", f"{name}.masked", scores, mask)
        shares = self.node("Softmax", f"{name}.shares", scores, axis=-1)
        context = self.node("MatMul", f"{name}.context_heads", shares, value)
        return self.join_heads(f"{name}.context", context, width)

    def model(self, **metadata: object) -> ModelProto:
        """Return the finished graph as a model that carries `metadata`."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, initializer=list(self._initializers.values())
        )
        opsets = [helper.make_opsetid("", OPSET)]
        if self._fused:
            opsets.append(helper.make_opsetid(CONTRIB, 1))
        model = helper.make_model(graph, producer_name="shoebox", opset_imports=opsets, ir_version=IR_VERSION)
        helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
        return model
