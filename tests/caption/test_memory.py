"""onnxruntime that is refused memory by the kernel: an error of ours, while it loads and while it runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

# In a process of its own, as it cannot be given back: MODEL LENGTH ROOM, the latter in MiB beyond what it has already.
SCRIPT = """
import resource, sys
from pathlib import Path
import numpy as np
from appliance.caption.network import _run
from appliance.caption.session import open_session
from appliance.errors import ShoeboxError

model, length, room = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
data = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, ((data << 10) + (room << 20),) * 2)
try:
    session = open_session(model, threads=1)
    binding = session.io_binding()
    binding.bind_cpu_input("length", np.array([length], dtype=np.int64))
    binding.bind_output("sum", "cpu")
    _run(session, binding)
    print("ran")
except ShoeboxError as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with 64 MiB of weights that makes so many numbers as its input says, and adds them to those."""
    weights = numpy_helper.from_array(np.ones(1 << 24, dtype=np.float32), "weights")
    nodes = [
        helper.make_node("ConstantOfShape", ["length"], ["numbers"]),
        helper.make_node("ReduceSum", ["numbers"], ["made"], keepdims=0),
        helper.make_node("ReduceSum", ["weights"], ["known"], keepdims=0),
        helper.make_node("Add", ["made", "known"], ["sum"]),
    ]
    graph = helper.make_graph(
        nodes,
        "hungry",
        [helper.make_tensor_value_info("length", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [])],
        [weights],
    )
    path = tmp_path_factory.mktemp("hungry") / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


@pytest.mark.parametrize(
    ("length", "room", "said"),
    [
        (1000, 1500, "ran"),
        (1000, 30, "TooLittleMemoryError"),  # the weights find no room
        (1 << 30, 1500, "TooLittleMemoryError"),  # 4 GiB of numbers find none
    ],
)
def test_memory_that_is_refused(model: Path, length: int, room: int, said: str) -> None:
    command = [sys.executable, "-c", SCRIPT, str(model), str(length), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == said, done.stderr
