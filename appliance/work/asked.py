"""Long work in a service of its own: the page says what, systemd starts it, and it outlives the page.

On an installed box the page has no network. It leaves its wish in `/run/shoebox/asked/NAME.json` and gives an order;
`shoebox-errand@NAME.service` runs `python -m appliance.work.asked NAME`, which becomes what was wished for.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.device import service
from appliance.errors import ServiceError
from appliance.library import disk
from appliance.sentences import say

# By the name of the order, all that can be wished for: the module that does it, and how its arguments begin.
WISHES = {
    "install-model": ("appliance", ("models", "install")),
    "look-at-model": ("appliance.work.errand_run", ()),
    "look-over": ("appliance.work.checkup_run", ()),
}
PATIENCE = 20.0  # seconds until it has begun; a small board takes a few
_LOOK = 0.05
_FOLDER = service.FOLDER / "asked"


def name_of(module: str, root: Path = Path("/")) -> str | None:
    """Return the order by which a box that takes orders has a module run; None where the caller starts it itself."""
    name = next((name for name, (wished, _) in WISHES.items() if wished == module), None)
    return name if name is not None and service.takes(name, root) else None


def ask(name: str, arguments: Sequence[str], log: Path, root: Path = Path("/")) -> int:
    """Have it begun with `arguments`, what it says going into `log`; return its process id.

    Raises ServiceError where it is not begun, StorageFullError and StorageError where the log cannot be written.
    """
    wish, begun = _files(name, root)
    with disk.usable(log.parent):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
    try:
        begun.unlink(missing_ok=True)
        wish.write_text(json.dumps({"arguments": list(arguments), "log": str(log)}), encoding="utf-8")
    except OSError as error:
        raise _not_begun() from error
    service.give(name, root=root)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (process := _number(begun)) is not None:
            return process
        time.sleep(_LOOK)
    wish.unlink(missing_ok=True)
    raise _not_begun()


def main(arguments: list[str], root: Path = Path("/")) -> int:
    """Become what was wished for under the name; return 1 where nothing was."""
    (name,) = arguments
    module, first = WISHES[name]
    wish, begun = _files(name, root)
    try:
        said = json.loads(wish.read_bytes())
        wish.unlink()
    except FileNotFoundError:
        print(say("Nothing was asked for."), file=sys.stderr)
        return 1
    wished: list[str] = said["arguments"]
    if tuple(wished[: len(first)]) != first:
        print(say("That is nothing that can be asked for."), file=sys.stderr)
        return 1
    log = os.open(said["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    new = begun.with_suffix(".new")
    new.write_text(str(os.getpid()), encoding="ascii")
    new.replace(begun)
    os.execv(sys.executable, [sys.executable, "-m", module, *wished])  # noqa: S606 - no shell: the modules above alone


def _files(name: str, root: Path) -> tuple[Path, Path]:
    """Return where the wish is left, and where its process says its number."""
    return root / _FOLDER / f"{name}.json", root / _FOLDER / f"{name}.pid"


def _number(begun: Path) -> int | None:
    try:
        return int(begun.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _not_begun() -> ServiceError:
    return ServiceError("The box did not begin with that.", "Restart Shoebox in the settings, then try again.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
