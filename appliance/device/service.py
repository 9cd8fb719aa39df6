"""Restarting Shoebox, restarting and shutting down the computer it runs on, and what else only root may do there.

On an installed box an order is a file in a folder that systemd watches: `systemd/orders.sh` does what is on its list.
Anywhere else systemd is asked itself.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from appliance.errors import ServiceError
from appliance.sentences import say

PATIENCE = 20.0  # seconds
FOLDER = Path("run/shoebox")  # of page and worker, in memory
ORDERS = "orders"
# Not waited for: each of them ends whoever asks for it.
_ARGUMENTS = {
    "restart": ("--no-block", "restart", "shoebox*.service"),
    "reboot": ("--no-block", "reboot"),
    "shutdown": ("--no-block", "poweroff"),
}
_ADOPT = "adopt-disk"
_ADOPTS = Path("usr/local/lib/shoebox/adopt-disk")  # what does it, where it is installed
_REFUSALS = {
    "gone": say("The disk is not there any more."),
    "in-use": say("The disk is in use."),
    "format": say("The disk cannot be used as it is."),
    "mount": say("The disk cannot be used."),
    "room": say("There is too little room on the disk."),
    "copy": say("The library could not be moved to the disk."),
    "adopt": say("The library on the disk cannot be used."),
}
_MOST = 100  # bytes of a note


def orders(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> tuple[str, ...]:
    """Return which of `restart`, `reboot`, `shutdown` and `adopt-disk` this box can be given: none without systemd.

    Shoebox itself is restarted only where systemd has started it.
    """
    if not (root / "run/systemd/system").is_dir():
        return ()
    if _box(root) is not None:
        return (*_ARGUMENTS, _ADOPT) if (root / _ADOPTS).is_file() else tuple(_ARGUMENTS)
    if shutil.which("systemctl") is None:
        return ()
    return tuple(name for name in _ARGUMENTS if name != "restart" or "INVOCATION_ID" in environment)


def give(order: str, more: str = "", root: Path = Path("/")) -> None:
    """Give one of the orders, with what `more` there is to say; raise ServiceError where the box does not take it."""
    box = _box(root)
    if box is not None:
        _put(box, order, more)
        return
    command = ["systemctl", "--no-ask-password", *_ARGUMENTS[order]]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(command) from error
    if done.returncode != 0:
        raise _refused(command)


def takes(order: str, root: Path = Path("/")) -> bool:
    """Return whether orders are files here, and this one can be given: what systemd itself could not be asked for."""
    box = _box(root)
    return box is not None and os.access(box, os.W_OK | os.X_OK) and order not in _ARGUMENTS


def refusal(order: str, root: Path = Path("/")) -> str:
    """Return why the order that was given last came to nothing, as a sentence; "" where it did not."""
    try:
        word = (root / FOLDER / "failed" / order).read_bytes()[:_MOST].decode(errors="replace").strip()
    except OSError:
        return ""
    return _REFUSALS.get(word, say("That did not work."))


def _box(root: Path) -> Path | None:
    """Return the folder that orders are put into, None where this computer has none."""
    box = root / FOLDER / ORDERS
    return box if box.is_dir() else None


def _put(box: Path, order: str, more: str) -> None:
    """Put the order into the folder, whole or not at all; one that waits there already is the same order."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".", dir=box)  # systemd does not see what begins with a dot
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(more)
            Path(name).replace(box / order)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ServiceError(
            "The box cannot be told to do that.", "On the box, type: sudo systemctl start shoebox.target"
        ) from error


def _refused(command: list[str]) -> ServiceError:
    by_hand = shlex.join(["sudo", "systemctl", *command[3:]])
    return ServiceError("The box did not let Shoebox do that.", "On the box, type: {by_hand}", by_hand=by_hand)
