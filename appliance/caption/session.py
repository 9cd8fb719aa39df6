"""ONNX Runtime sessions: a graph opened on an execution provider, threads, and options that suit a small box."""

import platform
from contextlib import nullcontext
from pathlib import Path

import onnxruntime

from appliance.caption.providers import CPU, Provider, named, opening_on, unavailable
from appliance.caption.room import room_for
from appliance.errors import ModelError, TooLittleMemoryError
from appliance.sentences import say

_ERRORS_ONLY = 3
# The C++ library's words, those of onnxruntime's own allocators, and of a thread that finds no room for its stack.
_OUT_OF_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate memory", "pthread_create failed")
_VNNI = {"avx512_vnni", "avx_vnni"}
_ASSIGNED = "session.record_ep_graph_assignment_info"


def open_session(
    path: Path, provider: str | Provider = CPU, threads: int = 0, *, lean: bool = False
) -> onnxruntime.InferenceSession:
    """Load the graph at `path` to run on `provider` with so many threads (0: one for every core).

    What the provider cannot run runs on the processor. A `lean` one is slower and makes no second copy of its weights:
    those in a file beside the graph stay mapped. Raises SettingsError where the provider cannot be had or runs nothing
    of the graph, ModelError where the graph cannot load, TooLittleMemoryError where there is no room for it.
    """
    if not path.is_file():
        raise ModelError("{path} is missing.", "Install the model again.", path=path)
    chosen = named(provider) if isinstance(provider, str) else provider
    wanted = options(threads, lean=lean)
    # Folding would make a second copy of a table that is used both ways round.
    left_out = ["ConstantFolding"] if lean else []
    if chosen != CPU:
        wanted.add_session_config_entry(_ASSIGNED, "1")
    if not room_for(threads):
        raise TooLittleMemoryError
    try:
        with nullcontext() if chosen == CPU else opening_on(chosen):
            session = onnxruntime.InferenceSession(path, wanted, providers=chosen.chain, disabled_optimizers=left_out)
    except Exception as error:  # onnxruntime's own exceptions derive from Exception alone
        if out_of_memory(error):
            raise TooLittleMemoryError from error
        raise ModelError(
            "{path} cannot be loaded: {error}.", "Install the model again.", path=path, error=error
        ) from error
    if not _takes_part(session, chosen):
        raise unavailable(chosen, say("it runs nothing of the model"))
    return session


def _takes_part(session: onnxruntime.InferenceSession, provider: Provider) -> bool:
    """Whether any of the graph runs on the provider: onnxruntime gives to the processor what a provider leaves."""
    if provider.onnx not in session.get_providers():
        return False
    if provider == CPU or not hasattr(session, "get_provider_graph_assignment_info"):  # newer than onnxruntime 1.23
        return True
    return any(part.ep_name == provider.onnx for part in session.get_provider_graph_assignment_info())


def out_of_memory(error: Exception) -> bool:
    """Whether an error of onnxruntime's means that memory ran out; its own exceptions tell only by their words."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)


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
    # Planning the memory of a run ahead holds, with one picture after the other, 22 MB more of it and saves no time.
    made.enable_mem_pattern = False
    if lean:
        # No second copy of the weights in the order that products like best, and nothing kept for the next run.
        made.add_session_config_entry("session.disable_prepacking", "1")
        made.enable_cpu_mem_arena = False
    return made


def sums_overflow(machine: str = platform.machine(), information: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor adds products of uint8 and int8 in 16 bits, which overflow: x86 from before VNNI."""
    if machine.lower() not in {"x86_64", "amd64"}:
        return False
    try:
        return not _VNNI & set(information.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return True  # not Linux, or hidden in a sandbox: right comes before fast
