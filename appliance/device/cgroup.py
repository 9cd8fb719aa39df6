"""What a service's or a container's limits leave of the machine: cgroups, of version 2 and 1."""

from collections.abc import Iterator
from pathlib import Path

from appliance.device.reading import integer, words

_NO_LIMIT = 1 << 60  # bytes; version 1 says "none" by a number near 2**63


def memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that this process and its neighbours in the cgroup may hold, None where nothing limits them."""
    found = [
        value
        for folder in _folders(root, "memory")
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes")
        for word in words(folder / name)[:1]
        if (value := integer(word)) is not None and 0 < value < _NO_LIMIT
    ]
    return min(found, default=None)


def processors(root: Path = Path("/")) -> float | None:
    """Return how many processors' time the cgroup may take, None where nothing limits it."""
    found = [
        share
        for folder in _folders(root, "cpu")
        for pair in (
            words(folder / "cpu.max"),
            words(folder / "cpu.cfs_quota_us") + words(folder / "cpu.cfs_period_us"),
        )
        if (share := _share(pair)) is not None
    ]
    return min(found, default=None)


def _share(pair: list[str]) -> float | None:
    """Return quota / period of the two words that tell them; "max" and -1 are no limit."""
    if len(pair) != 2:
        return None
    quota, period = (integer(word) for word in pair)
    return quota / period if quota is not None and period is not None and quota > 0 and period > 0 else None


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders whose limits count: that of this process's cgroup and all above it.

    A container may see its own cgroup at the top, whatever the path that the host gives it.
    """
    top = root / "sys/fs/cgroup"
    for line in words(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        mount = top / controller if controllers else top
        parts = [part for part in path.split("/") if part not in {"", ".."}]
        for length in range(len(parts), -1, -1):
            yield mount.joinpath(*parts[:length])
