"""The appliance's processes as the kernel sees them: what they cost, what they have loaded."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What a process has cost so far: seconds of processor, bytes handed to the disk."""

    seconds: float
    written: int


def family(parent: int) -> dict[int, str]:
    """Return the ids of a process and all below it, each with what it is: run, web, worker or child."""
    found, waiting = {}, [parent]
    while waiting:
        process = waiting.pop()
        try:
            words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                waiting += [int(number) for number in children.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        known = [name for name in ("run", "web", "worker") if name in words]
        found[process] = known[0] if known else "child" if "appliance.work.inside" in words else words[0]
    return found


def cost(process: int) -> Cost:
    """Return what a process has cost since it was started."""
    figures = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(figures[11]) + int(figures[12])) / TICKS
    lines = dict(line.split(": ") for line in Path(f"/proc/{process}/io").read_text().splitlines())
    return Cost(seconds, int(lines["write_bytes"]))


def loaded(process: int) -> set[str]:
    """Return the names of the files that a process has mapped as code; none where it has just ended."""
    try:
        maps = Path(f"/proc/{process}/maps").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return set()
    lines = [line.split(maxsplit=5) for line in maps.splitlines()]
    return {Path(line[5]).name for line in lines if len(line) == 6 and "x" in line[1]}
