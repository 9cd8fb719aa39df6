"""Which networks this process sees."""

from pathlib import Path


def any_seen(root: Path = Path("/")) -> bool:
    """Return whether there is a network card: a service that is kept from every network has a loopback alone."""
    try:
        lines = (root / "proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    except OSError:
        return False
    return any(line.partition(":")[0].strip() != "lo" for line in lines)
