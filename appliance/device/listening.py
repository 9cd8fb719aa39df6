"""The socket that the page listens on, and where others find it."""

import errno
import fcntl
import os
import socket
import struct
from collections.abc import MutableMapping
from ipaddress import ip_address
from pathlib import Path

from appliance.device import mdns
from appliance.errors import SettingsError
from appliance.sentences import say

BACKLOG = 128  # connections that may wait to be accepted
# An address set aside for documentation: asking for the way there sends nothing, but tells which address is ours.
FAR_AWAY = ("192.0.2.1", 9)
_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of the interface of this name
_FIRST_PASSED = 3  # the descriptor after standard error: where systemd puts the first socket that it hands over


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address; port 0 is any free one. Raises SettingsError where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        strange = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        raise SettingsError(
            "The page cannot listen on {host} port {port}: {strerror}.",
            say("Give --host an address of this machine, or 0.0.0.0 for all.")
            if strange
            else say("Stop the program that uses it, or choose another with --host and --port."),
            host=host,
            port=port,
            strerror=error.strerror,
        ) from error


def passed_socket(environment: MutableMapping[str, str] = os.environ) -> socket.socket | None:
    """Return the socket that systemd listens on for this process (LISTEN_FDS), None where it hands over none.

    What told of it is gone from the environment then: it is not meant for processes that are started from here. Raises
    SettingsError where it is no single socket that listens on the network.
    """
    count, process = environment.pop("LISTEN_FDS", ""), environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if process != str(os.getpid()) or not count:
        return None
    if count != "1":
        raise _something_else()
    return open_socket(_FIRST_PASSED)


def open_socket(descriptor: int) -> socket.socket:
    """Return the socket that whoever started this process has open; SettingsError where it is none that listens."""
    try:
        passed = socket.socket(fileno=descriptor)
    except OSError as error:
        raise _something_else() from error
    listens = passed.family in {socket.AF_INET, socket.AF_INET6} and passed.type == socket.SOCK_STREAM
    if not listens or not passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        passed.close()
        raise _something_else()
    passed.set_inheritable(False)
    return passed


def _something_else() -> SettingsError:
    return SettingsError(
        "Something else is handed over than the one socket that the page listens on.",
        "Let shoebox-web.socket have one ListenStream=, a port.",
    )


def lan_address() -> str | None:
    """Return this machine's address on the home network, None where it is on none or this process may not ask."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect(FAR_AWAY)
            own: str = asking.getsockname()[0]
    except OSError:
        return None
    return None if ip_address(own).is_loopback else own


def addresses() -> list[str]:
    """Return this machine's IPv4 addresses, the one on the way to the rest of the world first; none of its own ones."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:  # it has none
                continue
            found.append(socket.inet_ntoa(answer[20:24]))
    first = lan_address()
    return sorted((one for one in found if not ip_address(one).is_loopback), key=lambda one: one != first)


def home_name(root: Path = Path("/")) -> str | None:
    """Return the name by which others at home find this machine, `shoebox.local`; None where nothing tells it them."""
    return mdns.own_name(root) if mdns.is_there(root) else None
