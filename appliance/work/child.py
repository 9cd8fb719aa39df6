"""The captioner child seen from the worker: started when needed, killed at its deadline, started anew.

Native code cannot be interrupted in any other way. The child is `python -m appliance.work.inside` with a pipe, and not
a `multiprocessing.Process`, which would import the parent's `__main__` again and keep a process to track resources.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance import errors
from appliance.device import memory
from appliance.device.profile import profile
from appliance.errors import CaptionerError, ChildDiedError, DeadlineError, ShoeboxError, TooLittleMemoryError
from appliance.records import Described, Facts, Kind
from appliance.sentences import Sentence, say
from appliance.settings import Settings
from appliance.work import protocol
from appliance.work.fit import Fit, rungs
from appliance.work.loading import REAL

NO_THREAD = 127  # the C library's exit status where a new thread finds no room for its own data
TICK = 5.0  # seconds between two calls of `alive` while the child works

# Each token reads every weight once: in huge pages the processor finds them sooner. What is large is given back at once
# when it is no more needed. Other C libraries take no notice.
MALLOC = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=131072"}

Alive = Callable[[], None]

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The worker is stopping; what it was doing is to be done again later."""


@dataclass(frozen=True, slots=True)
class _Deadline:
    """Seconds that starting and loading, the first answer, and each later one may take."""

    load: float
    first: float
    step: float


class Child:
    """A process that opens files and describes them, one at a time; it lives until `close`, `stop` or a deadline.

    `settings` rule where a call gives no others; `loader` names, as `module:function`, what gives the child its models;
    the board is read below `root`.
    Calls come from one thread, `stop` from any.
    """

    def __init__(self, settings: Settings, *, loader: str = REAL, root: Path = Path("/")) -> None:
        self.settings = settings
        self.board = profile(root)
        self._root = root
        self._loader = loader
        self._loading = False  # a model, and not describing yet
        self._kills: int | None = None  # of processes by the kernel, as this call began
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._stopping = False
        self.loaded: protocol.Loaded | None = None  # the model that was loaded last, and what it runs on
        self._lock = threading.Lock()  # held while the process is started or ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id, None while no child runs."""
        return None if self._process is None else self._process.pid

    def prepare(
        self,
        path: Path,
        kind: Kind,
        folder: Path | None,
        *,
        settings: Settings | None = None,
        alive: Alive | None = None,
    ) -> Facts:
        """Return what the file at `path` says of itself and write its thumbnails into `folder`.

        `alive` is called every few seconds while this waits. Raises the child's ShoeboxError, DeadlineError,
        ChildDiedError or Stopped.
        """
        chosen = settings or self.settings
        limit = float(chosen.processing_timeout)
        request = protocol.PrepareRequest(os.fsencode(path), kind, _bytes(folder))
        answer = self._ask(request, _Deadline(chosen.model_load_timeout, limit, limit), alive)
        if isinstance(answer, protocol.Prepared):
            return answer.facts
        raise self._confused(answer)

    def load(self, *, settings: Settings | None = None, fit: Fit | None = None, alive: Alive | None = None) -> None:
        """Load the model as `describe` would, of which `loaded` tells then; the errors are its."""
        chosen = settings or self.settings
        limit = float(chosen.model_load_timeout)
        answer = self._ask(
            protocol.LoadRequest(fit or rungs(chosen, self.board)[0]), _Deadline(limit, limit, limit), alive
        )
        if not isinstance(answer, protocol.Ready):
            raise self._confused(answer)

    def describe(
        self,
        path: Path,
        kind: Kind,
        folder: Path | None,
        *,
        prompt: str | None = None,
        settings: Settings | None = None,
        fit: Fit | None = None,
        alive: Alive | None = None,
    ) -> Described:
        """Return what the file at `path` shows, with its tags; a video's frame thumbnails go into `folder`.

        It is described in the way `fit`, or as the settings and the board say. A photo may take `processing_timeout`
        seconds, a video as much for each frame: that many times for choosing them, then once for each. `alive` and the
        errors are those of `prepare`, and ModelError.
        """
        chosen = settings or self.settings
        fit = fit or rungs(chosen, self.board)[0]
        limit = float(chosen.processing_timeout)
        first = limit if kind is Kind.PHOTO else limit * fit.frames
        request = protocol.DescribeRequest(os.fsencode(path), kind, _bytes(folder), fit, prompt, chosen.recognise)
        answer = self._ask(request, _Deadline(chosen.model_load_timeout, first, limit), alive)
        if isinstance(answer, protocol.Finished):
            return answer.described
        raise self._confused(answer)

    def stop(self) -> None:
        """Kill the child for good; a call that waits for it in another thread raises Stopped."""
        self._stopping = True
        self._end()

    def close(self) -> None:
        """End the child; the next call would start another."""
        self._end()

    def _ask(self, request: protocol.Request, deadline: _Deadline, alive: Alive | None) -> protocol.Answer:
        self._loading = False
        self._kills = memory.kills(self._root)
        try:
            pipe = self._started(deadline, alive)
            pipe.send_bytes(protocol.encode(request))
            answer = self._answer(pipe, deadline, alive)
        except (EOFError, OSError, protocol.DecodeError) as error:
            raise self._died(error) from error
        except BaseException:  # whatever happened, the answer that is still to come must not meet the next question
            self._end()
            raise
        if isinstance(answer, protocol.Refused):
            refusal = _rebuilt(answer)
            if isinstance(refusal, TooLittleMemoryError):
                refusal.loading = self._loading
                self._end()  # what it holds by now is given back, and the next try finds all the room there is
            raise refusal
        if isinstance(answer, protocol.Broken):
            log.error("describing broke", extra={"child": self.pid, "traceback": answer.traceback})
            raise CaptionerError(
                "Describing this file failed unexpectedly ({summary}).",
                "Send the worker's log to the makers.",
                summary=answer.summary,
            )
        return answer

    def _answer(self, pipe: Connection, deadline: _Deadline, alive: Alive | None) -> protocol.Answer:
        seconds = deadline.first
        what = say("Describing it")
        while True:
            answer = self._receive(pipe, seconds, what, alive)
            match answer:
                case protocol.Loading(model=model):
                    self._loading = True
                    seconds, what = deadline.load, say("Loading the model {model}", model=model)
                case protocol.Loaded():
                    provider, warning = Sentence.read(answer.provider), Sentence.read(answer.warning)
                    self.loaded = protocol.Loaded(answer.model, provider, warning)
                    self._loading = False
                    seconds, what = deadline.first, say("Describing it")
                case protocol.Progress(done=done, total=total):
                    seconds = deadline.step
                    what = say("Describing frame {number} of {total}", number=min(done + 1, total), total=total)
                    if alive is not None:
                        alive()
                case _:
                    return answer

    def _receive(self, pipe: Connection, seconds: float, what: str, alive: Alive | None) -> protocol.Answer:
        end = time.monotonic() + seconds
        while not pipe.poll(max(0.0, min(TICK, end - time.monotonic()))):
            if time.monotonic() >= end:
                log.warning("the process that describes took too long, and is ended", extra={"child": self.pid})
                raise DeadlineError(
                    "{what} took longer than {seconds:.0f} s.",
                    "Allow it more time in the settings.",
                    what=what,
                    seconds=seconds,
                )
            if alive is not None:
                alive()
        return protocol.decode_answer(pipe.recv_bytes(protocol.LARGEST))

    def _started(self, deadline: _Deadline, alive: Alive | None) -> Connection:
        with self._lock:
            if self._stopping:
                raise Stopped
            if self._process is not None and self._process.poll() is None and self._pipe is not None:
                return self._pipe
        self._end()
        pipe = self._start()
        pipe.send_bytes(protocol.encode_settings(self.settings))
        answer = self._receive(pipe, deadline.load, say("Starting the process that describes"), alive)
        if not isinstance(answer, protocol.Ready):
            raise self._confused(answer)
        return pipe

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        command = [sys.executable, "-m", "appliance.work.inside", str(theirs.fileno()), str(os.getpid()), self._loader]
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        with theirs, self._lock:
            if self._stopping:
                ours.close()
                raise Stopped
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # a chatty library must not write into what `shoebox describe` prints
                env={**MALLOC, **os.environ, "PYTHONPATH": path},
            )
            self._pipe = ours
        log.info("a process that describes is started", extra={"child": self._process.pid})
        return ours

    def _end(self) -> int | None:
        """Kill the child where one runs; return the exit status it had."""
        with self._lock:
            process, self._process = self._process, None
            pipe, self._pipe = self._pipe, None
        if process is None:
            return None
        process.kill()
        try:
            status: int | None = process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # stuck in the kernel, on a dying disk; nothing more can be done to it
            log.error("the process that describes does not end", extra={"child": process.pid})
            status = None
        if pipe is not None:
            pipe.close()
        return status

    def _died(self, error: Exception) -> Exception:
        stopped = self._stopping
        with self._lock:
            process = self._process
        own: int | None = None
        try:
            if process is not None:
                own = process.wait(timeout=1)  # its own exit status tells more than that of our kill
        except subprocess.TimeoutExpired:
            log.warning("the process that describes speaks nonsense", extra={"child": process and process.pid})
        status = self._end()
        if stopped:
            return Stopped()
        about = {"child": process and process.pid, "status": status}
        log.warning("the process that describes ended in mid-work", extra=about)
        if self._memory_ran_out(own):
            return TooLittleMemoryError(loading=self._loading)
        return ChildDiedError(
            "The process that describes ended in mid-work{reason}.", "It is tried again.", reason=_reason(status)
        )

    def _memory_ran_out(self, status: int | None) -> bool:
        """Whether a child ended so for want of memory: the kernel killed it, or a library found none and gave up."""
        if status == -signal.SIGKILL:  # by the kernel, unless it tells that it has killed nobody
            kills = memory.kills(self._root)
            return kills is None or kills != self._kills
        return status in {-signal.SIGABRT, NO_THREAD}

    def _confused(self, answer: protocol.Answer) -> CaptionerError:
        self._end()
        return CaptionerError("The process that describes gave a wrong answer ({name}).", name=type(answer).__name__)


def _bytes(path: Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _reason(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return say(" (killed)")
    if status is not None and status < 0:
        return f" ({signal.Signals(-status).name})"
    return "" if status is None else say(" (status {status})", status=status)


def _rebuilt(answer: protocol.Refused) -> ShoeboxError:
    kind = getattr(errors, answer.error, None)
    if not (isinstance(kind, type) and issubclass(kind, ShoeboxError)):
        kind = CaptionerError
    return kind(Sentence.read(answer.message), Sentence.read(answer.next_step))
