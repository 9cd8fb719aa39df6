"""Build the Python of a Raspberry Pi that runs on this computer, in emulation, with Shoebox's locked dependencies.

    PYTHONPATH=image python tests/arm64/machine.py FOLDER

makes, without root and without running anything of ARM's:
root/: Debian's arm64 Python and its libraries, unpacked. The packages come from where this machine's own apt gets its.
python/: a virtual environment of it with the aarch64 wheels of requirements.lock, their hashes checked. Its Python is
    a script that starts the emulator, so that `sys.executable` works in it, with or without binfmt_misc.
cortex-a72/, cortex-a76/: what a Pi 4 and a Pi 5 say of themselves in /proc and /sys, seen before this computer's own.

QEMU_CPU names the core: `QEMU_CPU=cortex-a76 FOLDER/python/bin/python -m appliance describe PICTURE`. QEMU may give
another emulator with its arguments. What is there is kept while this file and the lock stay as they are.
"""

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from release import GLIBC, locked

LOCK = Path(__file__).parents[2] / "requirements.lock"
PACKAGES = ("python3", "libstdc++6")


@dataclass(frozen=True)
class Board:
    """A Raspberry Pi by what its kernel tells of it."""

    model: str
    revision: str
    part: str
    variant: str
    step: str
    features: str


BOARDS = {
    "cortex-a72": Board(
        "Raspberry Pi 4 Model B Rev 1.4", "c03114", "0xd08", "0x0", "3", "fp asimd evtstrm crc32 cpuid"
    ),
    "cortex-a76": Board(
        "Raspberry Pi 5 Model B Rev 1.0",
        "c04170",
        "0xd0b",
        "0x4",
        "1",
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    ),
}
CORES = os.cpu_count() or 1  # an emulated thread can be pinned to these and to no others


def main() -> None:
    parser = argparse.ArgumentParser(description="Build an emulated Raspberry Pi's Python.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder: Path = parser.parse_args().folder.resolve()
    emulator = tools()
    key = hashlib.sha256(Path(__file__).read_bytes() + LOCK.read_bytes() + f"{folder} {emulator}".encode()).hexdigest()
    kept = folder / "key"
    if kept.is_file() and kept.read_text() == key:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unpack(folder, folder / "root")
    interpreter = (folder / "root/usr/bin/python3").resolve()
    install(folder, interpreter, emulator)
    for core, board in BOARDS.items():
        describe(folder / core, board)
        for name in (entry.name for entry in (folder / "root").iterdir()):
            (folder / core / name).symlink_to(Path("..", "root", name))
    kept.write_text(key)


def tools() -> str:
    """Return the emulator's path; end with a sentence where something is missing."""
    emulator = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    if emulator is None or shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        sys.exit("An emulated Pi needs Debian and qemu. Install it with: apt-get install qemu-user-static")
    return emulator


def unpack(folder: Path, root: Path) -> None:
    """Download Debian's arm64 packages of a Python and unpack them into `root`, without installing them."""
    apt = [
        "apt-get",
        "-qq",
        "-o",
        "Debug::NoLocking=1",
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        "APT::Architecture=arm64",
    ]
    apt += ["-o", "APT::Architectures=arm64", "-o", "Dir::State::status=/dev/null", "-o", f"Dir::Log={folder}"]
    for kind, part in (("State", "lists"), ("Cache", "archives")):
        (folder / part / "partial").mkdir(parents=True)
        apt += ["-o", f"Dir::{kind}={folder}"]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "install", "--yes", "--download-only", "--no-install-recommends", *PACKAGES], check=True)
    root.mkdir()
    for name in ("usr/bin", "usr/sbin", "usr/lib"):
        (root / name).mkdir(parents=True)
    packages = sorted((folder / "archives").glob("*.deb"))
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    for name in ("bin", "sbin", "lib"):  # where all is under /usr, only base-files makes these
        if not (root / name).exists():
            (root / name).symlink_to(Path("usr", name))
    for part in ("lists", "archives"):
        shutil.rmtree(folder / part)


def install(folder: Path, interpreter: Path, emulator: str) -> None:
    """Make the virtual environment of `interpreter` and put the locked wheels into it."""
    version = interpreter.name.removeprefix("python")
    bin_folder = folder / "python" / "bin"
    packages = folder / "python" / "lib" / f"python{version}" / "site-packages"
    bin_folder.mkdir(parents=True)
    packages.mkdir(parents=True)
    (folder / "python" / "pyvenv.cfg").write_text(
        f"home = {interpreter.parent}\ninclude-system-site-packages = false\n"
    )
    start = bin_folder / "python"
    board, python = shlex.quote(str(folder)), shlex.quote(str(interpreter))
    emulate = f"${{QEMU:-{shlex.quote(emulator)}}} -L {board}/${{QEMU_CPU:?names the core}}"
    start.write_text(f'#!/bin/sh\nexec {emulate} -0 "$0" {python} "$@"\n')
    start.chmod(0o755)
    wanted = folder / "requirements.txt"
    wanted.write_text(locked(LOCK.read_text(encoding="utf-8"), version))
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in GLIBC]
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    pip += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}", *platforms]
    pip += ["--platform=manylinux2014_aarch64", "--target", packages, "--require-hashes", "--requirement", wanted]
    subprocess.run(pip, check=True)


def describe(folder: Path, board: Board) -> None:
    """Write what the kernel tells programs of the board: its cores and its name."""
    core = (
        "processor\t: {}\nBogoMIPS\t: 108.00\n"
        f"Features\t: {board.features}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: {board.variant}\n"
        f"CPU part\t: {board.part}\nCPU revision\t: {board.step}\n\n"
    )
    about = f"Revision\t: {board.revision}\nModel\t\t: {board.model}\n"
    everyone = f"0-{CORES - 1}\n"
    files = {
        "proc/cpuinfo": "".join(core.format(number) for number in range(CORES)) + about,
        "proc/device-tree/model": f"{board.model}\0",
        "sys/devices/system/cpu/kernel_max": "255\n",
        **{f"sys/devices/system/cpu/{name}": everyone for name in ("possible", "present", "online")},
    }
    for number in range(CORES):
        files |= {
            f"sys/devices/system/cpu/cpu{number}/topology/cluster_cpus_list": everyone,
            f"sys/devices/system/cpu/cpu{number}/topology/core_siblings_list": everyone,
            f"sys/devices/system/cpu/cpu{number}/topology/physical_package_id": "0\n",
        }
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


if __name__ == "__main__":
    os.umask(0o022)
    main()
