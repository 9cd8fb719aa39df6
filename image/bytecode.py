"""Byte code for the image's Python, written at this computer's own speed: Debian 13's Python, as this computer runs it.

Byte code is the same on every kind of processor. It says nothing of times (unchecked hashes), so that the same sources
give the same bytes, and it names files as they lie on the box.

    python image/bytecode.py FOLDER CACHE

compiles FOLDER, which is named as it lies on the box but for the first /. CACHE keeps the Python.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import rootfs

PYTHON = "3.13"
PACKAGES = (f"python{PYTHON}-minimal", f"libpython{PYTHON}-stdlib", "libc6", "libexpat1", "zlib1g")


def write(site: Path, place: str, cache: Path) -> None:
    """Compile everything in `site`, which lies at `place` on the box."""
    root = native(cache)
    (loader,) = (root / "usr").glob("lib*/ld-linux-*.so.*")
    (libraries,) = {file.parent for file in (root / "usr/lib").glob("*/libc.so.6")}
    command = [loader, "--library-path", libraries, root / f"usr/bin/python{PYTHON}", "-S", "-m", "compileall", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", site, "-p", place, site]
    home = {"PYTHONHOME": str(root / "usr"), "PYTHONHASHSEED": "0"}
    subprocess.run(command, check=True, env={**os.environ, **home})


def native(cache: Path) -> Path:
    """Return the folder with Debian 13's Python for this computer, unpacked; made where it is not kept."""
    kept = cache / f"python{PYTHON}"
    if kept.is_dir():
        return kept
    work = cache / "python.part"
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial", "root"):
        (work / folder).mkdir(parents=True)
    listed = work / "debian.sources"
    listed.write_text(rootfs.sources(), encoding="utf-8")
    apt = ["apt-get", "-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-o", f"Dir::State={work}"]
    apt += ["-o", "Dir::State::status=/dev/null", "-o", f"Dir::Cache={work}", "-o", f"Dir::Log={work}"]
    apt += ["-o", f"Dir::Etc::SourceList={listed.resolve()}", "-o", "Dir::Etc::SourceParts=-"]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "install", "--yes", "--download-only", "--no-install-recommends", *PACKAGES], check=True)
    for name in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
        (work / "root" / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (work / "root" / name).symlink_to(Path("usr", name))
    for package in sorted((work / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, work / "root"], check=True)
    (work / "root").replace(kept)
    shutil.rmtree(work)
    return kept


if __name__ == "__main__":
    write(Path(sys.argv[1]), f"/{sys.argv[1]}", Path(sys.argv[2]))
