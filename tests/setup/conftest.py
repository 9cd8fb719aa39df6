"""Machines to install Shoebox on, and the stick that it comes on."""

import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

import debian_root
import stick as on_stick
import tiny_blip
from debian_machine import DebianMachine
from stick import INSTALL

BUILD = Path(__file__).parents[2] / "build" / "setup"
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}


@pytest.fixture(scope="session")
def suite() -> str:
    """The name of the Debian that is tried."""
    return os.environ.get("SUITE", "trixie")


@pytest.fixture(scope="session")
def root(suite: str) -> Path:
    """The root of a fresh Debian."""
    return debian_root.build(BUILD, suite)


@pytest.fixture(scope="session")
def stick(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with checkout/, wheels/ (the packages), openvino/ (those that differ), a model, and newer Shoeboxes."""
    folder = tmp_path_factory.mktemp("stick")
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    subprocess.run(["cp", "-rl", on_stick.packages(BUILD, PYTHONS[suite]), folder / "wheels"], check=True)
    subprocess.run(
        ["cp", "-rl", on_stick.packages(BUILD, PYTHONS[suite], on_stick.OPENVINO), folder / "openvino"], check=True
    )
    tiny_blip.save(folder / "blip-image-captioning-base")
    tree = on_stick.checkout(folder / "checkout")
    dies = r"import sys\n\nif sys.argv[1:2] == ['%s']:\n    sys.exit(3)"
    migrates = (
        "appliance/library/schema.py",
        r'(\("\d+_\w+", [\w.]+\),)\n\)',
        r'\1\n    ("999_newer", "CREATE TABLE newer (a INTEGER) STRICT;"),\n)',
    )
    for name, version, changes in (
        ("newer", "0.9.1", ()),
        ("broken-page", "0.9.2", (("appliance/__main__.py", "import sys", dies % "web"),)),
        ("broken-worker", "0.9.3", (("appliance/__main__.py", "import sys", dies % "worker"), migrates)),
        ("migrating", "0.9.4", (migrates,)),
    ):
        (folder / name).mkdir()
        on_stick.wheel(tree, folder / name, version, *changes)
    return folder


@pytest.fixture(scope="session")
def machine(root: Path, stick: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., DebianMachine]:
    """Make a machine that has the stick, by `DebianMachine`'s options."""
    folder, numbers = tmp_path_factory.mktemp("machines"), count()

    def make(**options: object) -> DebianMachine:
        return DebianMachine(root, folder / str(next(numbers)), stick=stick, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def installed(machine: Callable[..., DebianMachine]) -> Iterator[DebianMachine]:
    """A machine, switched off, on which `INSTALL` has been run; go on with `machine(after=installed)`."""
    one = machine()
    with one:
        one.said = one.run(INSTALL, timeout=400).output  # type: ignore[attr-defined]
        one.power_off()
        yield one
