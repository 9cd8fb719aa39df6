"""Tells systemd how the process is doing: ready, alive, stopping (the sd_notify protocol, in a datagram)."""

import os
import socket
from collections.abc import Mapping


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return how often, in seconds, systemd is to hear `WATCHDOG=1`: twice in the time it waits; None where never."""
    asked = environment.get("WATCHDOG_USEC", "")
    other = environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid())
    if not environment.get("NOTIFY_SOCKET") or not asked.isascii() or not asked.isdecimal() or other:
        return None
    return int(asked) / 2e6 or None


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send `state` (`READY=1`, `WATCHDOG=1`, `STATUS=…`) to systemd; return whether anybody was there to be told."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # Linux's abstract namespace
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram:
        datagram.setblocking(False)  # whoever does not listen holds up nobody
        try:
            datagram.sendto(state.encode(), address)
        except OSError:  # systemd is restarting, hangs, or the socket is gone: the work matters more
            return False
    return True
