"""The files on disk: originals that are never changed or overwritten, and what is derived from them.

A file is written beside the originals' file system under a temporary name, brought to the disk, renamed into place, and
the folder brought to the disk: at any power cut a name in `originals/` stands for a whole file or an empty one that
no row knows.
"""

import os
import shutil
import string
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path, PurePosixPath

from appliance.errors import NotFoundError
from appliance.library import disk
from appliance.library.incoming import Incoming
from appliance.library.names import numbered, safe_name
from appliance.library.serving import served_since

__all__ = ["Incoming", "Store", "safe_name"]

PARTIAL = ".tus"


class Store:
    """The folders `originals`, `derived` and `incoming` in the data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._originals = data / "originals"
        self._derived = data / "derived"
        self._incoming = data / "incoming"
        self._durable: set[Path] = set()  # folders whose names this process has brought to the disk
        self._known: disk.Identity | None = None  # of the data folder that was prepared

    def prepare(self) -> None:
        """Make the folders where they are missing; raise StorageError where that cannot be."""
        with disk.usable(self._data):
            for folder in (self._originals, self._derived, self._incoming):
                _make(folder)
            self._known = disk.identity(self._data)

    def check(self) -> None:
        """Raise StorageError where the data folder is full, cannot be written to, or is not the one prepared."""
        disk.check(self._data, self._known)

    def receive(self) -> Incoming:
        """Return a new file to write an upload into; raise StorageFullError where there is no room for one."""
        return Incoming(self._incoming / f"{uuid.uuid4().hex}.part")

    def partial(self, name: str) -> Path:
        """Return where the upload called `name`, which may come in several pieces, is gathered."""
        return self._incoming / f"{name}{PARTIAL}"

    def begin_partial(self, name: str) -> None:
        """Make the empty file for an upload that may come in several pieces; its name is on the disk then."""
        with disk.explained():
            os.close(os.open(self.partial(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
            _sync(self._incoming)

    def partials(self) -> Iterator[str]:
        """Yield the names of all uploads of which something is gathered, in no order."""
        for path in self._incoming.glob(f"*{PARTIAL}"):
            yield path.name.removesuffix(PARTIAL)

    def keep(
        self, incoming: Incoming, name: str, day: date, *, taken: Callable[[str], bool] = lambda path: False
    ) -> str:
        """Move a received file among the originals and return its path there, `2024/05/beach.jpg`.

        A name that is taken gets a number; `taken` tells of paths that are although no file is there. The file and
        its folders are on the disk when this returns. Raises StorageFullError, and discards the file, where there is
        no room.
        """
        incoming.close()
        try:
            with disk.explained():
                folder = self._originals / f"{day:%Y}" / f"{day:%m}"
                self._make_durable(folder)
                target = self._reserve(folder, safe_name(name), incoming.sha256, taken)
                try:
                    incoming.path.replace(target)
                except BaseException:
                    target.unlink()
                    raise
                _sync(folder)
        except BaseException:
            incoming.discard()
            raise
        return target.relative_to(self._originals).as_posix()

    def put_back(self, incoming: Incoming, path: str) -> None:
        """Move a received file to the place of an original with the same bytes that is missing or cut short."""
        incoming.close()
        with disk.explained():
            target = self.original(path)
            self._make_durable(target.parent)
            incoming.path.replace(target)
            _sync(target.parent)

    def original(self, path: str) -> Path:
        """Return where the original is; raise NotFoundError for a path that leads out of the originals."""
        parts = PurePosixPath(path).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in path:
            raise NotFoundError("There is no such original.", "Open the library again.")
        return self._originals.joinpath(*parts)

    def derived(self, sha256: str) -> Path:
        """Return the folder for what is derived from the original with this SHA-256 (hex); it may not exist yet."""
        if len(sha256) != 64 or not set(sha256) <= set(string.hexdigits):
            raise NotFoundError("There is no such original.", "Open the library again.")
        return self._derived / sha256[:2] / sha256

    def remove(self, path: str) -> None:
        """Remove an original for good; nothing happens where it is gone already."""
        target = self.original(path)
        with disk.explained():
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                _sync(target.parent)

    def remove_derived(self, sha256: str) -> None:
        """Remove what is derived from an original; it can be made again."""
        shutil.rmtree(self.derived(sha256), ignore_errors=True)

    def originals(self) -> Iterator[str]:
        """Yield the paths of all files among the originals, in no order."""
        for folder, _, names in os.walk(self._originals):
            for name in names:
                yield (Path(folder) / name).relative_to(self._originals).as_posix()

    def leftovers(self, older_than_seconds: float) -> list[Path]:
        """Return the temporary files, of uploads and of thumbnails, that nobody has written to for so long.

        Those of uploads that a page took in which is gone are among them, whatever their age.
        """
        before = time.time() - older_than_seconds
        thumbnails = [path for path in self._derived.glob("*/*/.*.part") if _is_older(path, before)]
        return sorted([*self._cut_off(before), *thumbnails])

    def sweep(self, older_than_seconds: float, *, everywhere: bool = False) -> int:
        """Remove what uploads left that were cut off; return how many files. Younger ones may still be written to.

        With `everywhere` what was left while thumbnails were made goes, too.
        """
        parts = self.leftovers(older_than_seconds) if everywhere else self._cut_off(time.time() - older_than_seconds)
        for part in parts:
            part.unlink(missing_ok=True)  # kept or discarded in this moment
        return len(parts)

    def served_since(self) -> float:
        """Return the Unix time before which no upload began that may still be under way; 0 where none can be told."""
        return served_since(self._data)

    def _cut_off(self, before: float) -> list[Path]:
        before = max(before, self.served_since())
        return [path for path in self._incoming.glob("*.part") if _is_older(path, before)]

    def _reserve(self, folder: Path, name: str, sha256: str, taken: Callable[[str], bool]) -> Path:
        # An empty file holds the name: rename would replace what another upload put there in the meantime.
        for target in (folder / candidate for candidate in _candidates(name, sha256)):
            if not taken(target.relative_to(self._originals).as_posix()):
                try:
                    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
                except FileExistsError:
                    continue
                return target
        raise AssertionError("there is always another name")

    def _make_durable(self, folder: Path) -> None:
        if folder in self._durable and folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        # Another process may have made a folder and not synced its parent yet: sync the whole chain once.
        for parent in folder.parents:
            _sync(parent)
            if parent == self._data:
                break
        self._durable.add(folder)


def _is_older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _candidates(name: str, sha256: str) -> Iterator[str]:
    yield name
    for number in range(2, 100):
        yield numbered(name, number)
    yield numbered(name, sha256[:16])  # phones call every picture `image.jpg`
    while True:
        yield numbered(name, os.urandom(8).hex())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
