"""Rows of a tensor chosen where it lies: in main memory by numpy, in a graphics card's by a graph of one node."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import onnxruntime
from onnxruntime import OrtValue

from appliance.caption.providers import Provider


def chosen(value: OrtValue, rows: Sequence[int], provider: Provider) -> OrtValue:
    """Return a tensor of the `rows` of `value`, which lies where `provider` keeps its tensors."""
    if provider.tensors == "cpu":
        return OrtValue.ortvalue_from_numpy(value.numpy()[list(rows)])
    return gathered(value, rows, provider)


def gathered(value: OrtValue, rows: Sequence[int], provider: Provider) -> OrtValue:
    """Return what `chosen` does, by a graph that runs on `provider`: nothing comes to main memory and back."""
    session = _gather(provider, value.data_type())
    binding = session.io_binding()
    binding.bind_ortvalue_input("tensor", value)
    binding.bind_cpu_input("rows", np.array(rows, dtype=np.int64))
    binding.bind_output("chosen", provider.tensors)
    session.run_with_iobinding(binding)
    found: OrtValue = binding.get_outputs()[0]
    return found


@cache
def _gather(provider: Provider, type: str) -> onnxruntime.InferenceSession:
    """Return a graph that gathers rows of tensors of onnxruntime's `type`, "tensor(float16)" say."""
    from onnx import TensorProto, helper  # which a machine with nothing but the processor need not load

    number = {"tensor(float)": TensorProto.FLOAT, "tensor(float16)": TensorProto.FLOAT16}[type]
    tensor, result = (helper.make_tensor_value_info(name, number, None) for name in ("tensor", "chosen"))
    rows = helper.make_tensor_value_info("rows", TensorProto.INT64, ["count"])
    node = helper.make_node("Gather", ["tensor", "rows"], ["chosen"], axis=0)
    graph = helper.make_graph([node], "rows", [tensor, rows], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=provider.chain)
