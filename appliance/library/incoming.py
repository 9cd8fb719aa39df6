"""A file on its way in: hashed and counted while it is written, and gone again unless it is kept.

One that may come in several pieces stays where it is cut off, and goes on from there.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.errors import BusyFileError, NotFoundError
from appliance.library import disk

HEAD_BYTES = 64 << 10


def no_such_upload() -> NotFoundError:
    """Return what to tell somebody whose upload is not here, or not any more."""
    return NotFoundError("There is no such upload, or it waited too long.", "Send the file again.")


def sent_already() -> BusyFileError:
    """Return what to tell somebody whose file another request is sending."""
    return BusyFileError("This file is being sent already.", "Wait a moment, then go on with it.")


class Incoming:
    """A file being received at `path`; a context manager that discards it at the end unless the store kept it.

    Threads may call it: whoever was called off while a write runs discards it in another, and the write must never meet
    a descriptor that is closed, and another file's by then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self.head = b""  # the first 64 KiB, to tell the format by
        self._hash = hashlib.sha256()
        self._turn = threading.RLock()
        with disk.explained():
            self._file = self._opened()
        self._open = True

    def _opened(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

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


class Resumed(Incoming):
    """A file that goes on where it was left, in the hands of one writer at a time; nothing but `finish` removes it.

    `known` is the hash of the first so many bytes, where somebody kept it; otherwise the whole file is read for it at
    the end. Raises NotFoundError where the file is gone and BusyFileError where another writer has it.
    """

    def __init__(self, path: Path, known: "tuple[int, hashlib._Hash] | None" = None) -> None:
        super().__init__(path)
        self.bytes = os.lseek(self._file, 0, os.SEEK_END)
        self.head = os.pread(self._file, HEAD_BYTES, 0)
        self._hashed = self.bytes == 0  # whether the hash covers everything that is there
        if known is not None and known[0] == self.bytes:
            self._hash, self._hashed = known[1].copy(), True
        self._begun = (self.bytes, self._hash.copy(), self._hashed)

    def known(self) -> "tuple[int, hashlib._Hash] | None":
        """Return what the next one at this path may begin with."""
        return (self.bytes, self._hash) if self._hashed else None

    def back(self) -> None:
        """Take back what was written since the file was opened; nothing happens where it is closed."""
        with self._turn:
            if self._open:
                self.bytes, self._hash, self._hashed = self._begun
                self.head = self.head[: self.bytes]
                os.ftruncate(self._file, self.bytes)
                os.lseek(self._file, 0, os.SEEK_END)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file, in hex; the file is read for it once where it came in several lives."""
        if not self._hashed:
            with self.path.open("rb") as file:
                self._hash = hashlib.file_digest(file, "sha256")
            self._hashed = True
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Let go of the file; what is there stays."""
        with self._turn:
            if self._open:
                self._hashed = False  # a write may have ended halfway
                self._close()

    def _opened(self) -> int:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise no_such_upload() from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(self.path).st_ino != os.fstat(file).st_ino:
                raise no_such_upload()
        except BlockingIOError:
            os.close(file)
            raise sent_already() from None
        except FileNotFoundError:
            os.close(file)
            raise no_such_upload() from None
        except BaseException:
            os.close(file)
            raise
        return file
