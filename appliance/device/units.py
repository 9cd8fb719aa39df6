"""Shoebox's services as systemd sees them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 5.0  # seconds
# What runs all the time on an installed box; the rest starts when it is wanted.
ALWAYS = ("shoebox-web.socket", "shoebox-web.service", "shoebox-worker.service", "shoebox-orders.path")
_PROPERTIES = ("Id", "LoadState", "ActiveState", "NRestarts", "Listen")


@dataclass(frozen=True, slots=True)
class Unit:
    """One service or socket: whether it runs, how often it was started again, the port it listens on."""

    name: str
    runs: bool
    starting: bool
    restarts: int
    port: int | None


def installed(root: Path = Path("/")) -> bool:
    """Return whether Shoebox's services are installed on a computer that systemd runs."""
    folders = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system", "usr/local/lib/systemd/system")
    return (root / "run/systemd/system").is_dir() and any(
        (root / folder / "shoebox-web.service").exists() for folder in folders
    )


def units() -> dict[str, Unit] | None:
    """Return the services that always run, by name; None where systemd cannot be asked, which takes rights at times."""
    if shutil.which("systemctl") is None:
        return None
    command = ["systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", *ALWAYS]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if told.returncode != 0:
        return None
    return parsed(told.stdout)


def parsed(told: str) -> dict[str, Unit]:
    """Return what `systemctl show` says, a block a unit; units that are not installed are left out."""
    found = {}
    for block in told.split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        if fields.get("LoadState") in {None, "not-found", "masked"}:
            continue
        state, restarts = fields.get("ActiveState", ""), fields.get("NRestarts", "")
        found[fields["Id"]] = Unit(
            fields["Id"],
            state == "active",
            state in {"activating", "reloading"},
            int(restarts) if restarts.isdecimal() else 0,
            _port(fields.get("Listen", "")),
        )
    return found


def _port(listen: str) -> int | None:
    """Return the port of `[::]:80 (Stream)`, None for what is none."""
    number = listen.partition(" ")[0].rpartition(":")[2]
    return int(number) if number.isdecimal() else None
