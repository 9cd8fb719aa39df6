"""Execution providers: what onnxruntime can run graphs on, the best first, and which of them are there."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import numpy as np
import onnxruntime

from appliance.caption.captioner import PROCESSOR
from appliance.errors import SettingsError
from appliance.sentences import say

_WARNINGS, _SILENT = 2, 4  # onnxruntime's levels
_CPU = "CPUExecutionProvider"
VERSION: str = onnxruntime.__version__

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to run graphs: its name in the settings, what people call it, and onnxruntime's name and options for it.

    `package` is what brings it, `tensors` where it keeps them, in onnxruntime's words. What it cannot run goes to
    onnxruntime's provider `behind` it, and then to the processor.
    """

    name: str
    title: str
    onnx: str
    package: str = ""
    options: tuple[tuple[str, str], ...] = ()
    gpu: bool = False
    tensors: str = "cpu"
    behind: str = ""

    @property
    def key(self) -> str:
        """What tells it from every other one."""
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.options)])

    @property
    def chain(self) -> list[str | tuple[str, dict[str, str]]]:
        """What a session is given as its providers."""
        there = {*onnxruntime.get_available_providers()} - {self.onnx}
        return [(self.onnx, dict(self.options)), *(name for name in (self.behind, _CPU) if name in there)]


CPU = Provider("cpu", PROCESSOR, _CPU)
# What was made for exactly this hardware comes first, the processor last.
PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "tensorrt", "TensorRT", "TensorrtExecutionProvider", say("onnxruntime-gpu, NVIDIA's driver and TensorRT"),
        gpu=True, tensors="cuda", behind="CUDAExecutionProvider",
    ),
    Provider(
        "cuda", "CUDA", "CUDAExecutionProvider", say("onnxruntime-gpu[cuda,cudnn] and NVIDIA's driver"), gpu=True,
        tensors="cuda",
    ),
    # AMD's keep theirs on the card too; that Python can hand them on there is not documented.
    Provider("migraphx", "MIGraphX", "MIGraphXExecutionProvider", say("onnxruntime-migraphx and AMD's ROCm"), gpu=True),
    Provider("rocm", "ROCm", "ROCMExecutionProvider", say("onnxruntime-rocm and AMD's ROCm"), gpu=True),
    Provider(
        "openvino", say("OpenVINO on the graphics chip"), "OpenVINOExecutionProvider", "onnxruntime-openvino",
        (("device_type", "GPU"),), gpu=True,
    ),
    Provider(
        "openvino", say("OpenVINO on the processor"), "OpenVINOExecutionProvider", "onnxruntime-openvino",
        (("device_type", "CPU"),),
    ),
    Provider("coreml", "CoreML", "CoreMLExecutionProvider", say("onnxruntime on a Mac")),
    Provider("xnnpack", "XNNPACK", "XnnpackExecutionProvider", say("an onnxruntime that was built with XNNPACK")),
    Provider(
        "acl", say("the Arm Compute Library"), "ACLExecutionProvider", say("an onnxruntime that was built with ACL"),
    ),
    CPU,
)  # fmt: skip


def offered(name: str = "auto") -> list[Provider]:
    """Return the providers called `name`, or all, that this machine's onnxruntime was built with, the best first.

    Whether a device is there for them is not said. Raises SettingsError for a name that is none, and for one that this
    onnxruntime was built without.
    """
    there = onnxruntime.get_available_providers()
    if name == "auto":
        return [provider for provider in PROVIDERS if provider.onnx in there]
    called = [provider for provider in PROVIDERS if provider.name == name]
    if not called:
        known = dict.fromkeys(provider.name for provider in PROVIDERS)
        raise SettingsError(
            "provider cannot be {name}.", "Use auto or one of {known}.", name=repr(name), known=", ".join(known)
        )
    if called[0].onnx not in there:
        raise unavailable(called[0], say("the onnxruntime on this machine was built without it"))
    return called


def unavailable(provider: Provider, reason: str) -> SettingsError:
    """Return what to tell somebody who chose a provider that cannot be had."""
    step = say(
        "It takes {package}: see “Execution providers” in README. Or set provider to auto or cpu.",
        package=provider.package,
    )
    return SettingsError("provider cannot be {name}: {reason}.", step, name=provider.name, reason=reason)


def opens(provider: Provider) -> bool:
    """Whether the provider's libraries and device are there: a graph of one node is opened and run on it."""
    if provider == CPU:
        return True
    from onnx import TensorProto, helper  # which a machine with nothing but the processor need not load

    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("given", "made"))
    graph = helper.make_graph([helper.make_node("Relu", ["given"], ["made"])], "one", [given], [made])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    try:
        with opening_on(provider):
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=provider.chain)
            session.run(None, {"given": np.zeros(1, dtype=np.float32)})
    except Exception as error:  # onnxruntime's own exceptions derive from Exception alone
        log.info("%s is not there: %s", provider.title, error)
        return False
    # Where a library or the device is missing, onnxruntime takes the processor and says nothing.
    return provider.onnx in session.get_providers()


def named(name: str) -> Provider:
    """Return the best provider called `name`, or of all for `auto`, whose device is there; nothing is proved of it.

    Raises SettingsError where it cannot be had.
    """
    found = offered(name)
    for provider in found:
        if opens(provider):
            return provider
    raise unavailable(found[0], say("its device, its driver or one of its libraries is missing"))


def found() -> list[str]:
    """Return what people call the providers whose devices are there, the best first."""
    return [provider.title for provider in offered() if opens(provider)]


@contextmanager
def opening_on(provider: Provider) -> Iterator[None]:
    """Have at hand what a session on the provider loads, and nothing written about what is missing: we tell of it."""
    if provider.tensors == "cuda":  # CUDA from PyPI lies where the system's loader does not look
        with redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()
    onnxruntime.set_default_logger_severity(_SILENT)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)


if __name__ == "__main__":  # asked by the page, which does not load onnxruntime itself
    print(json.dumps(found()))
