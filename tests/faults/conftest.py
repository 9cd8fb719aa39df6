"""A small disk of its own for each test: a tmpfs that can be filled to the last page, and taken away again."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from box import Box

PAGE = 4096
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000


def mount(*arguments: str) -> None:
    """Mount or unmount; fail the test, never skip it, where this machine does not allow that."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(
            "These tests need small file systems of their own. Run them as root, or where user namespaces are allowed:"
            f" {' '.join(arguments)}: {done.stderr.strip()}"
        )


class Disk:
    """A tmpfs with little room."""

    def __init__(self, folder: Path, kilobytes: int, files: int) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        self._blocks = folder / "blocks"
        folder.mkdir()
        mount("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,nr_inodes={files},huge=never", "tmpfs", str(folder))
        self.data = folder / "library"
        self.data.mkdir()
        self._filler.touch()  # takes its inode while there are some

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


@pytest.fixture(scope="session", autouse=True)
def _may_mount() -> None:
    """Give whoever is not root a namespace of his own in which he may mount, before anything else is started."""
    if os.geteuid() == 0:
        return
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_MOUNTS) != 0:
        pytest.fail(f"Run these tests as root, or where user namespaces are allowed: {os.strerror(ctypes.get_errno())}")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path("/proc/self", name).write_text(text)


@pytest.fixture
def disk_of(tmp_path: Path) -> Iterator[Callable[..., Disk]]:
    """Make a disk of so many KiB."""
    made: list[Disk] = []

    def make(kilobytes: int = 16 << 10, files: int = 2000) -> Disk:
        made.append(Disk(tmp_path / f"disk-{len(made)}", kilobytes, files))
        return made[-1]

    yield make
    for one in made:
        mount("umount", "--lazy", str(one.folder))


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
