"""The table of documented commands, for the test of a box here and for `make setup-test`.

In a Debian root with systemd `of("systemd")` is what is to be run there, in the table's order, on an installed box:
`one.command` by `bash -c` as root with /usr/local in PATH, `one.stopped` ones with shoebox.target stopped, those with
`one.test` by that test, which installs, upgrades and uninstalls anyway; `one.right(status, output)` tells whether it
did as it should.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("commands.toml")
# Which target of the Makefile runs what is run there.
SUITES = {
    "box": "test-faults", "systemd": "setup-test", "hub": "test-hub", "openvino": "test-openvino",
    "image": "image-test", "make": "", "hand": "",
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One line of the table; see there."""

    line: str
    where: tuple[str, ...]
    run: str = ""
    test: str = ""
    status: tuple[int, ...] = (0,)
    says: str = ""
    stopped: bool = False
    listed: bool = False
    why: str = ""

    @property
    def command(self) -> str:
        """What is run, as root: nobody has to become it."""
        return (self.run or self.line).replace("sudo ", "")

    def right(self, status: int, output: str) -> bool:
        """Tell whether it ended and said as it should."""
        return status in self.status and self.says in output


def read() -> list[Command]:
    """Return the whole table."""
    rows: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["command"]
    lists = ("where", "status")
    return [Command(**{name: tuple(value) if name in lists else value for name, value in row.items()}) for row in rows]


def of(where: str) -> list[Command]:
    """Return what is to be run there."""
    return [one for one in read() if where in one.where]
