"""The setup script by what can be asked of it without a machine of its own; tests/setup runs it for real."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "systemd" / "setup.sh"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_help_tells_every_option_and_readme_too() -> None:
    told = run("--help")
    assert told.returncode == 0
    known = set(re.findall(r"^ +(?:\| )?(--[a-z-]+)(?: \||\))", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    known |= set(re.findall(r"\| (--[a-z-]+)", SCRIPT.read_text(encoding="utf-8"))) - {"--help"}
    assert len(known) > 12
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [option for option in known if option not in told.stdout]
    assert not [option for option in known if f"`{option}" not in readme]


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "80a"], ["--port"], ["frobnicate"], ["--model", "x"]]
)
def test_wrong_usage_ends_with_2_and_a_sentence(arguments: list[str]) -> None:
    done = run("--dry-run", *arguments)
    assert done.returncode == 2
    assert re.fullmatch(r"shoebox-setup: .+\nSee: shoebox-setup --help\n", done.stderr)


@pytest.mark.parametrize(
    ("devices", "suits"),
    [
        ({}, "cpu"),
        ({"0000:00:02.0": ("0x8086", "0x030000")}, "openvino"),
        ({"0000:00:1f.0": ("0x8086", "0x060100")}, "cpu"),
        ({"0000:00:02.0": ("0x8086", "0x030000"), "0000:01:00.0": ("0x10de", "0x030200")}, "nvidia"),
        ({"0000:01:00.1": ("0x10de", "0x040300")}, "cpu"),
    ],
)
def test_the_packages_suit_the_hardware(tmp_path: Path, devices: dict[str, tuple[str, str]], suits: str) -> None:
    for name, (vendor, kind) in devices.items():
        device = tmp_path / "bus/pci/devices" / name
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "class").write_text(f"{kind}\n")
    asked = "uname() { echo x86_64; }; nvidia-smi() { :; }; "
    asked += f"set -euo pipefail; OPT=/opt/shoebox; . {ROOT}/systemd/setup/steps.sh; SYS={tmp_path} hardware"
    assert subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout == suits


def test_every_lock_of_packages_has_hashes_and_no_address() -> None:
    for name in ("nvidia.lock", "openvino.lock"):
        text = (ROOT / "systemd" / "setup" / name).read_text(encoding="utf-8")
        packages = re.findall(r"^[a-z][\w.-]*==.*(?:\n .*)*", text, re.MULTILINE)
        assert packages
        assert all("--hash=sha256:" in package for package in packages)
        assert "http" not in text


def test_shellcheck_finds_nothing() -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck is not None, "apt-get install shellcheck"
    extra = [ROOT / "systemd" / "setup" / name for name in ("shoebox", "shoebox-setup")]
    done = subprocess.run(
        [shellcheck, "--external-sources", "--check-sourced", SCRIPT, *extra],
        cwd=ROOT / "systemd",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
