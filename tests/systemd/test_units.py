"""The unit files: how exposed each service is, that systemd knows each line, that each hardening line has a reason."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import cli

FOLDER = Path(__file__).parents[2] / "systemd"
# Exposure times ten, as systemd-analyze takes it. What is not here is in AS_ROOT.
MOST_EXPOSED = {
    "shoebox-web.service": 15,
    "shoebox-worker.service": 20,
    "shoebox-rescue.service": 20,
    "shoebox-errand@.service": 20,
    "shoebox-given-up@.service": 15,
    "shoebox-orders.service": 15,
    "shoebox-disk-back.service": 15,
}
# Unconfined, for a moment: on the owner's word, and at a start after an upgrade that was interrupted.
AS_ROOT = {"shoebox-adopt-disk@.service", "shoebox-interrupted.service"}
HARDENING = re.compile(
    r"NoNewPrivileges|CapabilityBoundingSet|AmbientCapabilities|Protect\w+|Private\w+|Restrict(?!artMode)\w+|IPAddress\w+"
    r"|DevicePolicy|DeviceAllow|ReadWritePaths|LockPersonality|MemoryDenyWriteExecute|RemoveIPC|KeyringMode|ProcSubset"
    r"|LimitCORE|SystemCall\w+|SupplementaryGroups"
)
PYTHON = "/opt/shoebox/current/bin/python"
# Only systemd 254 and newer know it: an older one leaves it out, and does as it says anyway.
NEW = "Unknown key 'RestartMode'", "Unknown key name 'RestartMode'"


def lines(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()


def values(name: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in lines(name) if line.startswith(f"{key}=")]


@pytest.mark.parametrize(("name", "most"), MOST_EXPOSED.items())
def test_a_service_is_no_more_exposed_than_it_may_be(analyze: str, name: str, most: int) -> None:
    command = [analyze, "security", "--offline=true", "--no-pager", f"--threshold={most}", FOLDER / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert f"Overall exposure level for {name.replace('@.', '@i.')}" in done.stdout, done.stderr


def test_every_service_is_scored_or_known_to_be_roots(units: list[Path]) -> None:
    services = {unit.name for unit in units if unit.suffix == ".service"}
    assert services == MOST_EXPOSED.keys() | AS_ROOT
    assert all(values(name, "User") == ["shoebox"] for name in services - AS_ROOT - {"shoebox-orders.service"})


def test_the_score_would_notice_a_line_that_is_gone(analyze: str, tmp_path: Path) -> None:
    weak = tmp_path / "shoebox-web.service"
    weak.write_text("\n".join(line for line in lines(weak.name) if not HARDENING.match(line)), encoding="utf-8")
    command = [analyze, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED[weak.name]}", weak]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


@pytest.fixture
def root(tmp_path: Path, units: list[Path]) -> Path:
    """A computer with the units, and stand-ins for the commands that they start."""
    system = tmp_path / "etc/systemd/system"
    system.mkdir(parents=True)
    for unit in units:
        shutil.copy(unit, system)
    for target in ("multi-user", "sysinit", "basic", "shutdown", "sockets", "paths", "local-fs"):
        (system / f"{target}.target").write_text("[Unit]\nDescription=Here already\n")
    (system / "systemd-tmpfiles-setup.service").write_text("[Service]\nExecStart=/bin/sh\n")
    for command in (
        "opt/shoebox/current/bin/python",
        "bin/sh",
        "bin/rm",
        "bin/systemctl",
        "usr/local/sbin/shoebox-setup",
    ):
        (tmp_path / command).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / command).write_text("#!/bin/sh\n")
        (tmp_path / command).chmod(0o755)
    return tmp_path


def verify(analyze: str, root: Path, units: list[Path]) -> list[str]:
    """Return what systemd has to say against the units, a line each."""
    names = [unit.name for unit in units]
    command = [analyze, "verify", "--man=no", "--recursive-errors=no", f"--root={root}", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if not any(known in line for known in NEW)]


def test_systemd_knows_every_line(analyze: str, root: Path, units: list[Path]) -> None:
    assert verify(analyze, root, units) == []


@pytest.mark.parametrize(
    ("line", "said"), [("PrivateTmb=yes", "PrivateTmb"), ("ProtectSystem=severe", "severe"), ("ExecStart=/no", "/no")]
)
def test_what_systemd_does_not_know_is_noticed(
    analyze: str, root: Path, units: list[Path], line: str, said: str
) -> None:
    with (root / "etc/systemd/system/shoebox-web.service").open("a", encoding="utf-8") as unit:
        unit.write(f"ExecStart=\n{line}\n" if line.startswith("ExecStart") else f"{line}\n")
    assert any(said in told for told in verify(analyze, root, units))


@pytest.mark.parametrize("name", [*MOST_EXPOSED, "gpu.conf"])
def test_each_hardening_line_has_a_reason(name: str) -> None:
    before = ""
    found = 0
    for line in lines(name):
        if HARDENING.match(line.partition("=")[0]) and "=" in line:
            found += 1
            same = before.partition("=")[0] == line.partition("=")[0] == "DeviceAllow"  # a card's devices, one reason
            assert same or (before.startswith("# ") and len(before) > 15), f"{name}: {line} has no reason"
        before = line
    assert found > 3


def test_every_command_of_a_unit_is_there(units: list[Path]) -> None:
    parser = cli._parser()
    commands = next(action.choices for action in parser._actions if action.dest == "==SUPPRESS==" or action.choices)
    started = {words for unit in units for key in ("ExecStart", "ExecStartPost", "ExecStopPost")
               for words in values(unit.name, key)}  # fmt: skip
    modules = {words.split(" -m ")[1].split()[0] for words in started if "/bin/python " in words}
    assert modules == {"appliance", "appliance.work.asked"}
    own = {words.split(" -m appliance ")[1].split()[0] for words in started if " -m appliance " in words}
    assert own == {"web", "worker", "rescue"}
    assert own <= set(commands)
    for words in started:
        for name in re.findall(r"/usr/local/lib/shoebox/([\w.-]+)", words):
            assert (FOLDER / name).is_file(), f"{name} is started and not shipped"
        assert words.split()[0] in {PYTHON, "/bin/sh", "/bin/rm", "/usr/local/sbin/shoebox-setup"}


def test_the_module_that_does_what_was_asked_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance.work.asked", "look-at-model"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "Nothing was asked for.\n")


@pytest.mark.parametrize("name", ["shoebox-web.service", "shoebox-worker.service"])
def test_times_and_limits_suit_each_other(name: str) -> None:
    """systemd waits longer than the longest wait in the code, and gives up as often as the page tells."""
    from appliance.pages.server import PATIENCE_SECONDS
    from appliance.settings import SETTINGS
    from appliance.work.consumer import LONGEST_SILENCE

    an_item = next(one.default for one in SETTINGS if one.name == "processing_timeout")
    longest = {"shoebox-web.service": PATIENCE_SECONDS, "shoebox-worker.service": an_item}[name]
    assert int(values(name, "TimeoutStopSec")[0]) > longest
    minutes = int(values(name, "WatchdogSec")[0].removesuffix("min"))
    assert minutes * 60 > LONGEST_SILENCE
    assert values(name, "Type") == ["notify"]
    assert values(name, "StartLimitBurst") == ["3"]
    assert values(name, "RestartMode") == ["direct"]
    assert values(name, "RuntimeDirectoryPreserve") == ["yes"]


def test_folders_and_user_are_as_the_units_take_them(units: list[Path]) -> None:
    folders = {line.split()[1]: line.split()[2:] for line in lines("tmpfiles.conf") if line.startswith("d ")}
    for unit in units:
        for paths in values(unit.name, "ReadWritePaths"):
            assert set(paths.split()) <= folders.keys()
    assert all(rights == ["0750", "shoebox", "shoebox"] for rights in folders.values())
    assert {"/run/shoebox/orders", "/run/shoebox/failed", "/run/shoebox/asked"} <= folders.keys()
    assert any(line.startswith("u shoebox - ") for line in lines("sysusers.conf"))
