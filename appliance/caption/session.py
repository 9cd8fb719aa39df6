"""ONNX Runtime sessions: the execution provider by name, threads, and options that suit a small box."""

import platform
from pathlib import Path

import onnxruntime

from appliance.caption.room import room_for
from appliance.errors import ModelError, SettingsError, TooLittleMemoryError

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
# Providers whose tensors live in the GPU's memory; the others compute on tensors in main memory.
_ON_GPU = {"CUDAExecutionProvider", "TensorrtExecutionProvider"}
_ERRORS_ONLY = 3
# The C++ library's words, those of onnxruntime's own allocators, and of a thread that finds no room for its stack.
_OUT_OF_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate memory", "pthread_create failed")
_VNNI = {"avx512_vnni", "avx_vnni"}


def open_session(
    path: Path, provider: str = "cpu", threads: int = 0, *, lean: bool = False
) -> onnxruntime.InferenceSession:
    """Load the graph at `path` to run on `provider` with so many threads (0: one for every core).

    `lean` spares memory at the cost of time.

    What the provider cannot run, and everything where its device is missing, runs on the processor.
    Raises SettingsError where this machine's onnxruntime lacks the provider, ModelError where the graph cannot load,
    TooLittleMemoryError where there is no room for it.
    """
    if not path.is_file():
        raise ModelError(f"{path} is missing.", "Install the model again.")
    chosen = providers(provider)
    if not room_for(threads):
        raise TooLittleMemoryError
    try:
        return onnxruntime.InferenceSession(path, options(threads, lean=lean), providers=chosen)
    except Exception as error:  # onnxruntime's own exceptions derive from Exception alone
        if out_of_memory(error):
            raise TooLittleMemoryError from error
        raise ModelError(f"{path} cannot be loaded: {error}.", "Install the model again.") from error


def out_of_memory(error: Exception) -> bool:
    """Whether an error of onnxruntime's means that memory ran out; its own exceptions tell only by their words."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)


def providers(name: str) -> list[str]:
    """Return onnxruntime's names for provider `name` and, behind it, the processor; SettingsError if there is none."""
    if name not in _PROVIDERS:
        raise SettingsError(f"provider cannot be {name!r}.", f"Use one of {', '.join(_PROVIDERS)}.")
    there = onnxruntime.get_available_providers()
    if _PROVIDERS[name] not in there:
        known = [short for short, long in _PROVIDERS.items() if long in there]
        raise SettingsError(
            f"provider cannot be {name}: the onnxruntime on this machine was built without it.",
            f"Install one that has it, or use {' or '.join(known)}.",
        )
    names = [_PROVIDERS[name]]
    if name == "tensorrt":
        names.append(_PROVIDERS["cuda"])  # for what TensorRT leaves over
    return list(dict.fromkeys([*(name for name in names if name in there), _PROVIDERS["cpu"]]))


def options(threads: int, *, lean: bool = False) -> onnxruntime.SessionOptions:
    """Return the session options for so many threads, and to spare memory where `lean`."""
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = threads
    made.log_severity_level = _ERRORS_ONLY
    # Threads wait actively inside a run, where the next node comes in microseconds, and sleep as soon as it ends.
    made.add_session_config_entry("session.force_spinning_stop", "1")
    if sums_overflow():
        # Slower and exact. With VNNI it would double the time and change nothing.
        made.add_session_config_entry("session.x64quantprecision", "1")
    # Weights are allocated once and never returned: outside the arena they take what they need and no more.
    made.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    if lean:
        # No second copy of the weights in the order that products like best, and nothing kept for the next run.
        made.add_session_config_entry("session.disable_prepacking", "1")
        made.enable_cpu_mem_arena = False
        made.enable_mem_pattern = False
    return made


def sums_overflow(machine: str = platform.machine(), information: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor adds products of uint8 and int8 in 16 bits, which overflow: x86 from before VNNI."""
    if machine.lower() not in {"x86_64", "amd64"}:
        return False
    try:
        return not _VNNI & set(information.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return True  # not Linux, or hidden in a sandbox: right comes before fast


def device(session: onnxruntime.InferenceSession) -> str:
    """Return where the session keeps its tensors, in onnxruntime's words: `cuda` or `cpu`."""
    return "cuda" if _ON_GPU & set(session.get_providers()) else "cpu"
