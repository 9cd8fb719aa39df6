"""From folders to a disk: a FAT file system, two ext4 ones and a partition table, without mounts or loop devices.

The same folders give the same bytes: identities and times are fixed, and mke2fs and mtools go through folders by name.
"""

import os
import re
import subprocess
from pathlib import Path

MIB = 1 << 20
GAP = 4  # MiB before the first partition: the alignment that cards like
BOOT, ROOT = 256, 3072  # MiB; more than half of ROOT is free, for two more releases and Debian's updates
DATA = 256  # MiB, grown at the first start to the end of the card
DISK = "5b0eb0c5"  # the disk's identity: partitions are found by it, wherever the card sits
SERIAL = "5B0EB0C5"
NAMES = {2: "5b0eb0c5-0002-4000-8000-5b0eb0c50002", 3: "5b0eb0c5-0003-4000-8000-5b0eb0c50003"}
LARGEST_DATA = 1 << 29  # blocks of 4 KiB that the library's file system can be grown to: 2 TiB


def fat(folder: Path, out: Path, epoch: str) -> None:
    """Write a FAT file system with the files of `folder`, which has no folders itself."""
    out.unlink(missing_ok=True)
    files = sorted(folder.iterdir())
    for file in files:
        os.utime(file, (int(epoch), int(epoch)))
    run("mkfs.vfat", "-C", "-F", "32", "-i", SERIAL, "-n", "SHOEBOX", "--invariant", out, BOOT * 1024)
    run("mcopy", "-m", "-i", out, *files, "::/", SOURCE_DATE_EPOCH=epoch, TZ="UTC", MTOOLS_SKIP_CHECK="1")


def ext4(folder: Path, out: Path, size: int, number: int, label: str, epoch: str, *options: str) -> None:
    """Write an ext4 file system of `size` MiB with what is in `folder`, owners and rights included."""
    out.unlink(missing_ok=True)
    with out.open("wb") as file:
        file.truncate(size * MIB)
    name = NAMES[number]
    owner = folder.stat()
    extended = ",".join(
        (f"hash_seed={name}", f"root_owner={owner.st_uid}:{owner.st_gid}", "lazy_itable_init=0", "nodiscard")
    )
    fixed = {"SOURCE_DATE_EPOCH": epoch, "E2FSPROGS_FAKE_TIME": epoch}
    run(
        "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "1", "-L", label, "-U", name, "-E",
        ",".join((extended, *options[:1])), *options[1:], "-d", folder, out, **fixed,
    )  # fmt: skip
    # When an inode was changed and read is of this build, whatever the file's own time is.
    table = subprocess.run(["dumpe2fs", out], check=True, capture_output=True, text=True).stdout
    times = [(inode, name) for inode in used_inodes(table) for name in ("atime", "ctime")]
    commands = "".join(f"set_inode_field <{inode}> {name} @{epoch}\n" for inode, name in times)
    script = out.with_suffix(".debugfs")
    script.write_text(f"rmdir lost+found\n{commands}" if number == 3 else commands)
    run("debugfs", "-w", "-f", script, out, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **fixed)
    script.unlink()
    run("e2fsck", "-f", "-n", out, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **fixed)


def used_inodes(table: str) -> list[int]:
    """Return the inodes that dumpe2fs does not list as free: the root folder's and all from 11 on."""
    count = int(re.findall(r"^Inode count:\s+(\d+)", table, re.MULTILINE)[0])
    free: set[int] = set()
    for ranges in re.findall(r"^  Free inodes:(.*)", table, re.MULTILINE):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", ranges):
            free.update(range(int(first), int(last or first) + 1))
    return [inode for inode in (2, *range(11, count + 1)) if inode not in free]


def assemble(parts: list[Path], out: Path) -> None:
    """Put the three file systems behind a partition table, with holes where there is nothing."""
    sizes = [part.stat().st_size // MIB for part in parts]
    out.unlink(missing_ok=True)
    with out.open("wb") as file:
        file.truncate((GAP + sum(sizes)) * MIB)
    start, lines = GAP, [f"label: dos\nlabel-id: 0x{DISK}\nunit: sectors\n"]
    for size, kind in zip(sizes, ("c", "83", "83"), strict=True):
        lines.append(f"start={start * 2048}, size={size * 2048}, type={kind}")
        start += size
    run("sfdisk", "--quiet", "--no-reread", out, input="\n".join(lines) + "\n", text=True)
    start = GAP
    for part, size in zip(parts, sizes, strict=True):
        run("dd", f"if={part}", f"of={out}", "bs=1M", f"seek={start}", "conv=notrunc,sparse", "status=none")
        start += size


def run(*command: object, input: str | None = None, text: bool = False, **more: object) -> None:
    """Run a program that must succeed; upper-case names go into its environment."""
    environment = {name: str(value) for name, value in more.items() if name.isupper()}
    rest = {name: value for name, value in more.items() if not name.isupper()}
    words = [str(word) for word in command]
    subprocess.run(words, check=True, input=input, text=text, env={**os.environ, **environment}, **rest)  # type: ignore[call-overload]
