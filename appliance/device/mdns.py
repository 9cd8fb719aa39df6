"""The name that the box has on the home network, as avahi, which tells it to others, knows it."""

import re
import socket
from pathlib import Path

PATIENCE = 3.0  # seconds
_SOCKET = "run/avahi-daemon/socket"
_SETTINGS = "etc/avahi/avahi-daemon.conf"
_CHOSEN = re.compile(r"^host-name=(\S+)", re.MULTILINE)


def is_there(root: Path = Path("/")) -> bool:
    """Return whether avahi runs."""
    return (root / _SOCKET).is_socket()


def own_name(root: Path = Path("/")) -> str:
    """Return the name that avahi is to tell: its own setting (setup makes it `shoebox`), else the computer's."""
    try:
        chosen = _CHOSEN.search((root / _SETTINGS).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        chosen = None
    return f"{chosen[1] if chosen else socket.gethostname().partition('.')[0]}.local"


def name_of(address: str, root: Path = Path("/")) -> str | None:
    """Return the name that belongs to an address, for example shoebox.local; None where none is told."""
    return next((word for word in _ask(f"RESOLVE-ADDRESS {address}", root) if word.endswith(".local")), None)


def address_of(name: str, root: Path = Path("/")) -> str | None:
    """Return the address that belongs to a name; None where none is told."""
    return next((word for word in _ask(f"RESOLVE-HOSTNAME-IPV4 {name}", root) if word.count(".") == 3), None)


def _ask(question: str, root: Path) -> list[str]:
    """Return the words of an answer such as `+ 2 0 shoebox.local 192.168.1.7`, none of a refusal (`-15 Timeout`)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(PATIENCE)
        try:
            asking.connect(str(root / _SOCKET))
            asking.sendall(f"{question}\n".encode("ascii"))
            said = asking.recv(1000).decode("ascii", errors="replace").split()
        except OSError:
            return []
    return said if said[:1] == ["+"] else []
