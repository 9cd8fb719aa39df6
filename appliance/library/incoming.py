"""A file on its way in: hashed and counted while it is written, and gone again unless it is kept."""

import hashlib
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.library import disk

HEAD_BYTES = 64 << 10


class Incoming:
    """A file being received into `folder`; a context manager that discards it at the end unless the store kept it.

    Threads may call it: whoever was called off while a write runs discards it in another, and the write must never meet
    a descriptor that is closed, and another file's by then.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{uuid.uuid4().hex}.part"
        self.bytes = 0
        self.head = b""  # the first 64 KiB, to tell the format by
        self._hash = hashlib.sha256()
        self._turn = threading.RLock()
        with disk.explained():
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._open = True

    def write(self, chunk: bytes) -> None:
        """Append bytes; raise StorageFullError, and discard what was written, where there is no room."""
        with self._turn:
            if not self._open:
                raise ValueError("nothing can be written after close() or discard()")
            if len(self.head) < HEAD_BYTES:
                self.head += chunk[: HEAD_BYTES - len(self.head)]
            self._hash.update(chunk)
            self.bytes += len(chunk)
            rest = memoryview(chunk)
            with self._discarding():
                while rest:
                    rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Bring everything to the disk and close the file; a second time does nothing."""
        with self._turn:
            if self._open:
                with self._discarding():
                    os.fsync(self._file)
                    self._close()

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written, in hex; final once the file is closed."""
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Remove the file, whatever state it is in; nothing happens where it was kept or discarded already."""
        with self._turn:
            self._close()
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._file)

    @contextmanager
    def _discarding(self) -> Iterator[None]:
        try:
            with disk.explained():
                yield
        except BaseException:
            self.discard()
            raise
