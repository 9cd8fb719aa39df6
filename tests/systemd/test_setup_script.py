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
    ("folder", "why"),
    [
        *((one, "the services do not see it") for one in ("/home", "/home/pi/x", "/root", "/dev/", "/var/run/x")),
        *((one, "it is the system's") for one in ("//", "/etc", "/usr/local/x", "/var", "/var//lib/", "/opt", "/lib")),
        *((one, "it is the system's") for one in ("/opt/shoebox/x", "/boot/./x", "/srv", "/bin", "/sbin/x")),
        *((one, "a whole path of letters") for one in ("/srv/../etc", "/srv/..", "photos", "/srv/a b")),
        *((one, "") for one in ("/srv/shoebox", "/library", "/srv/a..b", "/media/disk/x", "/var/lib/shoebox")),
    ],
)
def test_the_library_has_a_folder_of_its_own(folder: str, why: str) -> None:
    said = run("--dry-run", "--yes", "--data", folder).stderr
    assert (f"cannot be used: {why}" in said or f"--data takes {why}" in said) if why else "--data" not in said + why


# put_settings alone: what it would write goes to a file beside the settings, and what they say to standard output.
PUT_SETTINGS = """
set -euo pipefail
OPT=$1 WORK=$1 DATA=/srv/x PORT=$2 NAME=$3 file=$1/shoebox.toml
. "$4/systemd/setup/system.sh"
SETTINGS=$file
put() { cat >"$1.put"; }
put_settings
echo "$(setting port) $(setting data)"
cat "$file.put"
"""


def settings_after(folder: Path, text: str, port: str, name: str) -> str:
    """Return what the settings say, and the settings file as setup leaves it."""
    (folder / "shoebox.toml").write_text(text)
    arguments = ["bash", "-c", PUT_SETTINGS, "bash", folder, port, name, ROOT]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def test_settings_keep_what_setup_was_not_asked_to_change(tmp_path: Path) -> None:
    text = "# mine\nport=8080 # since May\n  data = '/srv/x'  # the disk\nbeams = 3\n"
    assert settings_after(tmp_path, text, "8080", "") == f"8080 /srv/x\n{text}"
    changed = settings_after(tmp_path, text, "81", "Aunt & Ada").partition("\n")[2]
    assert changed == text.replace("port=8080 # since May", "port = 81") + 'box_name = "Aunt & Ada"\n'


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


def is_script(file: Path) -> bool:
    with file.open("rb") as content:
        return re.match(rb"#!.*\b(ba|da)?sh\b", content.readline()) is not None


def test_shellcheck_finds_nothing() -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck is not None, "apt-get install shellcheck"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "systemd", "image/overlay", ".ci"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    scripts = [ROOT / name for name in names if (ROOT / name).is_file() and is_script(ROOT / name)]
    assert {"setup.sh", "adopt-disk", "orders.sh", "shoebox", "first-boot", "grow", "run"} <= {
        one.name for one in scripts
    }
    done = subprocess.run(
        [shellcheck, "--external-sources", "--check-sourced", *scripts],
        cwd=ROOT / "systemd",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
