"""Shoebox as it lies on the image: a virtual environment for ARM's Python 3.13, put together without running ARM's pip.

The locked wheels for aarch64 are kept by a hash, with their byte code; the appliance's own wheel is always built anew.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

import bytecode

TOP = Path(__file__).parents[1]
LOCK = TOP / "requirements.lock"
PYTHON = bytecode.PYTHON
GLIBC = range(36, 16, -1)  # minor versions of glibc 2 whose wheels Debian 13 can run, best first
INSTALLED = Path("opt/shoebox/releases")
SITE = f"/opt/shoebox/current/lib/python{PYTHON}/site-packages"
UNUSED = ("**/tests", "**/test", "**/*.pyx", "**/*.pxd", "**/include", "bin")


def make(tree: Path, cache: Path, epoch: str) -> str:
    """Put the release into the unpacked Debian at `tree` as the current one; return its name."""
    wheel = own_wheel(cache, epoch)
    packages = locked_packages(cache)
    version = wheel.name.split("-")[1]
    name = f"{version}-{hashlib.sha256(wheel.read_bytes() + LOCK.read_bytes()).hexdigest()[:8]}"
    release = tree / INSTALLED / name
    site = release / "lib" / f"python{PYTHON}" / "site-packages"
    site.parent.mkdir(parents=True)
    subprocess.run(["cp", "-a", packages, site], check=True)
    own = cache / "own"
    shutil.rmtree(own, ignore_errors=True)
    # By its name: installed by its path, it would say where that was, and each folder would give another image.
    links = str(wheel.parent)
    pip("install", "--no-index", "--no-deps", "--find-links", links, "--target", str(own), f"shoebox=={version}")
    prune(own)
    bytecode.write(own, SITE, cache)
    subprocess.run(["cp", "-a", f"{own}/.", site], check=True)
    forget_programs(site)
    programs = release / "bin"
    programs.mkdir()
    (programs / f"python{PYTHON}").symlink_to(f"/usr/bin/python{PYTHON}")
    for other in ("python3", "python"):
        (programs / other).symlink_to(f"python{PYTHON}")
    (release / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n")
    start = programs / "shoebox"
    start.write_text('#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -m appliance "$@"\n')
    start.chmod(0o755)
    current = tree / "opt/shoebox/current"
    current.unlink(missing_ok=True)
    current.symlink_to(f"releases/{name}")
    return name


def own_wheel(cache: Path, epoch: str) -> Path:
    """Build the appliance's wheel from the checkout."""
    folder = cache / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(TOP), SOURCE_DATE_EPOCH=epoch)
    return next(folder.glob("shoebox-*.whl"))


def locked_packages(cache: Path) -> Path:
    """Return the folder with the locked packages and their byte code, made where it is not kept from before."""
    key = hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    kept = cache / f"packages-{key}"
    if kept.is_dir():
        return kept
    part = cache / "packages.part"
    shutil.rmtree(part, ignore_errors=True)
    wanted = cache / "requirements.txt"
    wanted.write_text(locked(LOCK.read_text(encoding="utf-8")), encoding="utf-8")
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in GLIBC] + ["--platform=manylinux2014_aarch64"]
    pip(
        "install", "--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms,
        "--no-compile", "--require-hashes", "--target", str(part), "--requirement", str(wanted),
    )  # fmt: skip
    prune(part)
    bytecode.write(part, SITE, cache)
    part.replace(kept)
    return kept


def locked(text: str, version: str = PYTHON, machine: str = "aarch64") -> str:
    """Return what a lock's text asks for there, with its hashes; pip itself would ask this computer's Python."""
    there = {
        "platform_machine": machine,
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_version": version,
        "python_full_version": f"{version}.0",
    }
    kept = []
    for entry in re.findall(r"^[a-z].*(?:\n .*)*", text, re.MULTILINE):
        line, _, hashes = entry.partition("\\\n")
        requirement = Requirement(line.strip())
        if requirement.marker is None or requirement.marker.evaluate(there):
            requirement.marker = None
            kept.append(f"{requirement} \\\n{hashes}")
    return "\n".join(kept) + "\n"


def pip(*arguments: str, **environment: str) -> None:
    """Run this environment's pip."""
    command = [sys.executable, "-m", "pip", arguments[0], "-qq", "--disable-pip-version-check", *arguments[1:]]
    if arguments[0] == "install" and "--no-compile" not in arguments:
        command.append("--no-compile")
    subprocess.run(command, check=True, env={**os.environ, **environment})


def forget_programs(site: Path) -> None:
    """Take out of each RECORD the programs in bin/, which are not installed and named the folder they were built in."""
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = "".join(line for line in lines if not line.startswith("../../bin/"))
        status = record.stat()
        record.unlink()  # as a hard link it would be changed in the cache, too
        record.write_text(kept, encoding="utf-8")
        record.chmod(status.st_mode)
        os.utime(record, ns=(status.st_atime_ns, status.st_mtime_ns))


def prune(site: Path) -> None:
    """Remove what never runs on the box, and what differs from one build to the next."""
    for pattern in UNUSED:
        for entry in sorted(site.glob(pattern)):
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
