"""Disks on USB that the library could live on, as the kernel and udev tell of them."""

from dataclasses import dataclass
from pathlib import Path

from appliance.device.reading import matching, number, words

_SECTOR = 512  # bytes, in the kernel's figures whatever the disk's own sectors are
_LEAST = 4 << 30  # bytes; on less a library has no future
_KEPT = "ext4"  # survives a power cut, and knows whom a file belongs to
_ADOPTED = "/media/shoebox"  # where the disk that the library lives on is mounted
_UDEV = 1 << 16  # bytes; what udev notes of one disk


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that nothing is mounted from: its name to the kernel (`sda`), what stands on it, and its size in bytes.

    `file_system` is what the kernel calls that of its only one, None where it has none or several; `label` is its
    name, "" where it has none.
    """

    name: str
    model: str
    bytes: int
    file_system: str | None
    label: str

    @property
    def can_be_kept(self) -> bool:
        """Whether the library can live beside what is on it; else it has to be erased first."""
        return self.file_system == _KEPT


def disks(root: Path = Path("/")) -> list[Disk]:
    """Return the disks on USB that are not in use, by name; none where the library lives on one already.

    `root` stands for `/` in tests.
    """
    mounted = _mounted(root)
    if _ADOPTED in mounted:
        return []
    return [
        _disk(root, block)
        for block in matching(root, "sys/block/sd*")
        if "usb" in block.resolve().as_posix().removeprefix(root.resolve().as_posix())
        and number(block / "ro") == 0
        and (number(block / "size") or 0) * _SECTOR >= _LEAST
        and not mounted & {_device(part) for part in (block, *_parts(block))}
    ]


def _disk(root: Path, block: Path) -> Disk:
    made_by, model = (" ".join(words(block / "device" / name)) for name in ("vendor", "model"))
    found = [told for part in (block, *_parts(block)) if "ID_FS_TYPE" in (told := _told(root, part))]
    only = found[0] if len(found) == 1 else {}
    return Disk(
        name=block.name,
        model=f"{made_by} {model}".strip() or block.name,
        bytes=(number(block / "size") or 0) * _SECTOR,
        file_system=only.get("ID_FS_TYPE"),
        label=only.get("ID_FS_LABEL", ""),
    )


def _parts(block: Path) -> list[Path]:
    return [part.parent for part in matching(block, f"{block.name}*/partition")]


def _device(block: Path) -> str:
    """Return the two numbers by which the kernel knows it, as `8:1`."""
    return " ".join(words(block / "dev"))


def _told(root: Path, part: Path) -> dict[str, str]:
    """Return what udev found on a disk or a part of one, by name."""
    noted = words(root / "run/udev/data" / f"b{_device(part)}", _UDEV)
    pairs = (word.removeprefix("E:").partition("=") for word in noted if word.startswith("E:"))
    return {name: value for name, _, value in pairs}


def _mounted(root: Path) -> set[str]:
    """Return what is mounted, as this process sees it, by its numbers and its place, and what is swapped to."""
    found = set(words(root / "proc/self/mountinfo", 1 << 20))
    swaps = {Path(word).name for word in words(root / "proc/swaps", _UDEV) if word.startswith("/dev/")}
    return found | {_device(block) for name in swaps for block in matching(root, f"sys/class/block/{name}")}
