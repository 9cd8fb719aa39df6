"""Small disks of their own for the tests: a tmpfs that is filled to the last page, a card that fails as cards do.

Whoever is not root runs them in a namespace of his own, in which he may mount a tmpfs: `mount` says how.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from box import Box

PAGE = 4096


def mount(*arguments: str) -> None:
    """Mount or unmount; fail the test, never skip it, where this machine does not allow that."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(
            "These tests mount small file systems. Run them as root, or all but those with a card as anybody with"
            " `unshare --user --map-root-user --mount python -m pytest tests/faults`."
            f" Refused was: {' '.join(arguments)}: {done.stderr.strip()}"
        )


class Disk:
    """A tmpfs with little room."""

    def __init__(self, folder: Path, kilobytes: int, files: int) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        self._blocks = folder / "blocks"
        folder.mkdir()
        self._mount(kilobytes, files)
        self.data = folder / "library"
        self.data.mkdir()
        self._filler.touch()  # takes its inode while there are some

    def _mount(self, kilobytes: int, files: int) -> None:
        options = f"size={kilobytes}k,nr_inodes={files},huge=never"
        mount("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder))

    @property
    def free(self) -> int:
        """Free bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, left: int = 0) -> None:
        """Leave `left` bytes free."""
        with self._filler.open("ab") as file:
            for _ in range(100):  # others write meanwhile
                more, size = self.free - left, self._filler.stat().st_size
                if more == 0:
                    return
                with suppress(OSError):
                    file.truncate(size + more) if more < 0 else os.posix_fallocate(file.fileno(), size, more)
        pytest.fail(f"{self.free} bytes are free, not {left}")

    def fill_files(self, left: int = 0) -> None:
        """Leave `left` files that may be made."""
        self._blocks.mkdir(exist_ok=True)
        number = len(list(self._blocks.iterdir()))
        while (free := os.statvfs(self.folder).f_favail) != left:
            if free > left:
                with suppress(OSError):  # others make files meanwhile
                    (self._blocks / str(number)).touch()
                    number += 1
            else:
                number -= 1
                (self._blocks / str(number)).unlink()

    def make_room(self) -> None:
        """Take away all that fills the disk."""
        os.truncate(self._filler, 0)
        for block in self._blocks.iterdir() if self._blocks.is_dir() else []:
            block.unlink()


class Card(Disk):
    """An ext4 file system in a file, mounted as a card is: an error turns it read-only. Needs root and e2fsprogs."""

    def _mount(self, kilobytes: int, files: int) -> None:
        self.file = self.folder.with_suffix(".img")
        with self.file.open("wb") as made:
            made.truncate(kilobytes << 10)
        # Blocks as large as a page, as cards have them: with smaller ones there may be no room for a page of shared
        # memory that SQLite has mapped already, and the kernel ends the process.
        mount("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", "-N", str(files), str(self.file))
        self.insert()

    def fill(self, left: int = 0) -> None:
        """Leave `left` bytes free; ext4 keeps some for itself, which it counts as free."""
        with self._filler.open("ab") as file:
            chunk = 1 << 24
            while chunk >= PAGE:
                try:
                    os.posix_fallocate(file.fileno(), self._filler.stat().st_size, chunk)
                except OSError:
                    chunk //= 2
            file.truncate(self._filler.stat().st_size - left)

    def insert(self) -> None:
        """Mount it."""
        mount("mount", "-o", "loop,errors=remount-ro", str(self.file), str(self.folder))

    def take_out(self) -> None:
        """Unmount it."""
        mount("umount", str(self.folder))

    def fail(self) -> None:
        """Have the kernel meet an error in this file system, as with a dying card."""
        device = subprocess.run(
            ["findmnt", "-no", "SOURCE", str(self.folder)], capture_output=True, text=True, check=True
        ).stdout.strip()
        Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("tested")


@pytest.fixture
def disk_of(tmp_path: Path) -> Iterator[Callable[..., Disk]]:
    """Make a disk of so many KiB."""
    made: list[Disk] = []

    def make(kilobytes: int = 16 << 10, files: int = 2000, *, kind: type[Disk] = Disk) -> Disk:
        made.append(kind(tmp_path / f"disk-{len(made)}", kilobytes, files))
        return made[-1]

    yield make
    for one in made:
        mount("umount", "--lazy", str(one.folder))


@pytest.fixture
def card_of(disk_of: Callable[..., Disk]) -> Callable[..., Disk]:
    """Make a card of so many KiB."""
    return partial(disk_of, kind=Card)


@pytest.fixture
def box(tmp_path: Path, box_on: Callable[[Path], Box]) -> Box:
    """A box with an empty library, not yet started."""
    return box_on(tmp_path / "library")


@pytest.fixture
def box_on(tmp_path: Path) -> Iterator[Callable[[Path], Box]]:
    """Make a box whose library lies in this folder."""
    boxes: list[Box] = []

    def make(data: Path) -> Box:
        boxes.append(Box(data, tmp_path / f"log-{len(boxes)}.txt"))
        return boxes[-1]

    yield make
    for one in boxes:
        if one.process is not None:
            one.stop()
