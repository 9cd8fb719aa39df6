"""Long work that goes on without the page that asked for it: `shoebox` in a process of its own.

The page starts it and never waits; how far it is stands in a file, and what it said last in its log. On an installed
box systemd starts it, as the page has no network there.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from appliance.library import disk
from appliance.work import asked

_MOST = 4000  # bytes of a log that are looked at


def start(module: str, arguments: Sequence[str], log: Path) -> int:
    """Start `python -m module` with `arguments`, what it says going into `log`; return its process id.

    Raises StorageFullError and StorageError where the log cannot be written, ServiceError where systemd does not begin.
    """
    name = asked.name_of(module)
    if name is not None:
        return asked.ask(name, arguments, log)
    with disk.usable(log.parent):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C on the page's terminal is not meant for it
            )
    # Whoever looks whether it still runs would take one that has ended, and that nobody has waited for, for running.
    threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()
    return process.pid


def said(log: Path) -> str:
    """Return the last line that was written into a log, without the name of the program; "" where there is none."""
    try:
        lines = log.read_bytes()[-_MOST:].decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip().removeprefix("shoebox: ") for line in reversed(lines) if line.strip()), "")
