"""What lies on a USB stick for a machine without Internet: a checkout, wheels of Shoebox, and the packages it needs."""

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from release import GLIBC, locked

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
SHIPPED = ("appliance", "web", "models", "systemd", "pyproject.toml", "requirements.lock", "README.md", "CHANGELOG.md")
# In a machine, where the stick is /media/usb.
SETUP = "/media/usb/checkout/systemd/setup.sh"
INSTALL = f"{SETUP} --yes --wheels /media/usb/wheels"
OPENVINO = ROOT / "systemd" / "setup" / "openvino.lock"


def packages(folder: Path, version: str, lock: Path = LOCK) -> Path:
    """Return a folder with what `lock` names for a 64-bit PC and Python `version`, the hashes checked."""
    key = sha256(lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]
    made = folder.resolve() / f"packages-{version}-{key}"
    if made.is_dir():
        return made
    unfinished = made.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    wanted = unfinished / "requirements.txt"
    wanted.write_text(locked(lock.read_text(encoding="utf-8"), version, "x86_64"), encoding="utf-8")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-qq",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
    ]
    pip += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}", "--requirement", str(wanted)]
    pip += [f"--platform=manylinux_2_{minor}_x86_64" for minor in GLIBC]
    subprocess.run([*pip, "--platform=manylinux2014_x86_64", "--dest", unfinished], check=True)
    wanted.unlink()
    unfinished.rename(made)
    return made


def checkout(folder: Path) -> Path:
    """Copy what git knows of this tree, as a checkout, and return the folder."""
    listing = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *SHIPPED]
    names = subprocess.run(listing, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def wheel(tree: Path, folder: Path, version: str, *changes: tuple[str, str, str]) -> Path:
    """Build a wheel of a checkout that calls itself `version`; each change is a file, a pattern, and another text."""
    number = ("appliance/__init__.py", r'__version__ = ".*"', f'__version__ = "{version}"')
    altered = folder / "tree"
    shutil.copytree(tree, altered)
    for name, former, latter in (number, *changes):
        file = altered / name
        text, count = re.subn(former, latter, file.read_text(encoding="utf-8"), count=1)
        assert count == 1, f"{name} has no {former}"
        file.write_text(text, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "wheel", "-qq", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", folder, altered], check=True)
    shutil.rmtree(altered)
    (made,) = folder.glob("shoebox-*.whl")
    return made
