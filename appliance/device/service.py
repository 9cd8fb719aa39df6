"""Restarting Shoebox, and restarting and shutting down the computer it runs on, by systemd."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from appliance.errors import ServiceError

PATIENCE = 20.0  # seconds
# Not waited for: each of them ends whoever asks for it.
_ARGUMENTS = {
    "restart": ("--no-block", "restart", "shoebox*.service"),
    "reboot": ("--no-block", "reboot"),
    "shutdown": ("--no-block", "poweroff"),
}


def orders(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> tuple[str, ...]:
    """Return which of `restart`, `reboot` and `shutdown` this box can be given: none without systemd.

    Shoebox itself is restarted only where systemd has started it.
    """
    if not (root / "run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        return ()
    return tuple(name for name in _ARGUMENTS if name != "restart" or "INVOCATION_ID" in environment)


def give(order: str) -> None:
    """Give one of the orders; raise ServiceError where the box does not take it."""
    command = ["systemctl", "--no-ask-password", *_ARGUMENTS[order]]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(command) from error
    if done.returncode != 0:
        raise _refused(command)


def _refused(command: list[str]) -> ServiceError:
    by_hand = shlex.join(["sudo", "systemctl", *command[3:]])
    return ServiceError("The box did not let Shoebox do that.", "On the box, type: {by_hand}", by_hand=by_hand)
