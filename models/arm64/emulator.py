"""Build qemu's user emulation with plug-ins, which Debian's own does not have, and the plug-in that counts.

    python models/arm64/emulator.py FOLDER

takes Debian's source package of qemu from where this machine's apt gets its packages, and leaves FOLDER/qemu-aarch64
and FOLDER/counter.so. It takes about five minutes on two cores, and 1 GB until it is done.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = ("gcc", "ninja-build", "meson", "pkg-config", "libglib2.0-dev", "dpkg-dev", "python3-venv")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build qemu's user emulation with plug-ins.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder: Path = parser.parse_args().folder.resolve()
    tools = all(map(shutil.which, ("gcc", "ninja", "meson", "pkg-config", "dpkg-source", "apt-get")))
    if not tools or subprocess.run(["pkg-config", "--exists", "glib-2.0"], check=False).returncode != 0:
        sys.exit(f"Building qemu needs Debian's tools. Install them with: apt-get install {' '.join(NEEDED)}")
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    source = unpack(work)
    build = work / "build"
    build.mkdir()
    options = ("--target-list=aarch64-linux-user", "--without-default-features", "--enable-linux-user")
    more = ("--enable-plugins", "--disable-system", "--disable-tools", "--disable-docs", "--disable-werror")
    quietly([source / "configure", *options, *more], build)
    quietly(["ninja", "qemu-aarch64"], build)
    flags = subprocess.check_output(["pkg-config", "--cflags", "glib-2.0"], text=True).split()
    counter = Path(__file__).with_name("counter.c")
    include = ("-I", source / "include" / "qemu")
    quietly(["gcc", "-O2", "-Wall", "-shared", "-fPIC", *flags, *include, "-o", folder / "counter.so", counter], build)
    shutil.copy2(build / "qemu-aarch64", folder / "qemu-aarch64")
    shutil.rmtree(work)


def unpack(work: Path) -> Path:
    """Download the source package and return the folder that it unpacks to."""
    sources = work / "sources"
    sources.mkdir()
    for file in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")):
        if file.is_file() and file.suffix in {".list", ".sources"}:
            text = file.read_text(encoding="utf-8")
            text = re.sub(r"(?m)^deb(?=\s)", "deb-src", re.sub(r"(?m)^Types:.*$", "Types: deb-src", text))
            (sources / file.name).write_text(text, encoding="utf-8")
    apt = ["apt-get", "-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"]
    apt += [
        "-o",
        "Dir::Etc::sourcelist=/dev/null",
        "-o",
        f"Dir::Etc::sourceparts={sources}",
        "-o",
        f"Dir::State={work}",
    ]
    apt += ["-o", f"Dir::Cache={work}", "-o", "Dir::State::status=/dev/null"]
    for name in ("lists", "archives"):
        (work / name / "partial").mkdir(parents=True)
    quietly([*apt, "update"], work)
    quietly([*apt, "source", "--download-only", "qemu"], work)
    (description,) = work.glob("*.dsc")
    quietly(["dpkg-source", "-x", description, work / "qemu"], work)
    return work / "qemu"


def quietly(command: list[str | Path], folder: Path) -> None:
    """Run a command; show what it said only where it fails."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-4000:]}\nFailed: {' '.join(map(str, command))}")


if __name__ == "__main__":
    main()
