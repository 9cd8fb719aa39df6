"""The captioner child: `python -m appliance.work.inside PIPE PARENT LOADER`, started by `child.Child` alone.

It holds the model, answers one request at a time and ends with its parent. It can be killed at any moment.
"""

import gc
import importlib
import logging
import os
import signal
import sys
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import logs
from appliance.caption.captioner import PROCESSOR, Captioner
from appliance.errors import CaptionerError, ShoeboxError, TooLittleMemoryError
from appliance.library import disk
from appliance.sentences import joined, say
from appliance.work import process, protocol
from appliance.work.fit import Fit
from appliance.work.loading import Models
from appliance.work.protocol import DescribeRequest, LoadRequest, PrepareRequest

if TYPE_CHECKING:  # loaded when a description is first asked for
    from appliance.work.describing import Look
    from appliance.work.recognising import Recognising


class Inside:
    """The child's end of the pipe, and the model it has loaded."""

    def __init__(self, pipe: Connection, models: Models) -> None:
        self._pipe = pipe
        self._models = models
        self._captioner: Captioner | None = None
        self._loaded: tuple[str, Fit] | None = None  # model id, and how it runs
        self._refusal: str | None = None
        self._recognising: Recognising | None = None

    def serve(self) -> None:
        """Answer requests until the worker closes its end."""
        self._say(protocol.Ready())
        while True:
            try:
                request = protocol.decode_request(self._pipe.recv_bytes(protocol.LARGEST))
            except EOFError:
                return
            self._say(self._answer(request))

    def _answer(self, request: protocol.Request) -> protocol.Answer:
        try:
            if isinstance(request, PrepareRequest):
                return self._prepare(request)
            if isinstance(request, LoadRequest):
                self._ready_captioner(request.fit)
                return protocol.Ready()
            return self._describe(request)
        except ShoeboxError as error:
            return _refused(error)
        except MemoryError:
            return _refused(TooLittleMemoryError())
        except OSError as error:
            if error.errno in disk.FULL:
                return protocol.Refused("StorageFullError", say("The card or disk is full."), say("Make room on it."))
            return _broken(error)
        except Exception as error:  # the job's edge: the worker says it plainly and logs the traceback
            return _broken(error)

    def _prepare(self, request: PrepareRequest) -> protocol.Prepared:
        from appliance.work import describing

        return protocol.Prepared(describing.prepare(_path(request.path), request.kind, _folder(request.folder)))

    def _describe(self, request: DescribeRequest) -> protocol.Finished:
        from appliance.work import describing

        captioner = self._ready_captioner(request.fit)
        try:
            described = describing.describe(
                _path(request.path),
                request.kind,
                _folder(request.folder),
                captioner,
                frames=request.fit.frames,
                prompt=request.prompt,
                refusal=self._refusal,
                look=self._look() if request.recognise else None,
                tell=lambda done, total: self._say(protocol.Progress(done, total)),
            )
        except CaptionerError:
            if captioner.provider != PROCESSOR:
                self._captioner = None  # a graphics card that has failed may be gone: the next time it is looked for
            raise
        return protocol.Finished(described)

    def _ready_captioner(self, fit: Fit) -> Captioner:
        """Return the captioner that `fit` asks for, loaded anew where that is another than the last."""
        wanted = (fit.model or self._models.in_use(), replace(fit, frames=0))  # frames do not matter to it
        if self._captioner is None or self._loaded != wanted:
            self._say(protocol.Loading(wanted[0]))
            self._captioner = self._loaded = None
            gc.collect()  # two models at once may not fit
            self._captioner = self._models.load(*wanted)
            self._refusal = self._models.refusal(wanted[0])
            self._loaded = wanted
            captioner = self._captioner
            self._say(protocol.Loaded(captioner.model, captioner.provider, joined(captioner.warnings)))
        return self._captioner

    def _look(self) -> "Look":
        """Return what looks at pictures beside the captioner; another model in use changes nothing about it."""
        from appliance.work.recognising import Recognising

        if self._recognising is None:
            self._recognising = Recognising(self._models.recogniser)
        return self._recognising.look

    def _say(self, answer: protocol.Answer) -> None:
        self._pipe.send_bytes(protocol.encode(answer))


def _refused(error: ShoeboxError) -> protocol.Refused:
    return protocol.Refused(type(error).__name__, error.message, error.next_step)


def _broken(error: Exception) -> protocol.Broken:
    return protocol.Broken(f"{type(error).__name__}: {error}", traceback.format_exc())


def _path(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def _folder(path: bytes | None) -> Path | None:
    return None if path is None else _path(path)


def main(arguments: list[str]) -> int:
    """Serve the worker at the other end of the pipe until it goes."""
    handle, parent, loader = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # Ctrl-C and systemd reach the whole group;
        signal.signal(number, signal.SIG_IGN)  # the worker decides when its child ends
    process.end_with_parent(int(parent))
    process.stand_back()
    pipe = Connection(int(handle))
    try:
        settings = protocol.decode_settings(pipe.recv_bytes(protocol.LARGEST))
    except (EOFError, ConnectionResetError):  # the worker is gone
        return 1
    process.limit_memory(process.memory_limit(settings))
    logs.set_up(settings.log, level=logging.WARNING)
    importlib.import_module("appliance.work.describing").warm_up()  # before Ready, so that no item pays for it
    module, _, name = loader.partition(":")
    factory = getattr(importlib.import_module(module), name)
    try:
        with logs.about(child=os.getpid()):
            Inside(pipe, factory(settings)).serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the worker is gone
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
