"""The socket that the page listens on, and where others find it."""

import errno
import fcntl
import socket
import struct
from ipaddress import ip_address

from appliance.errors import SettingsError

BACKLOG = 128  # connections that may wait to be accepted
# An address set aside for documentation: asking for the way there sends nothing, but tells which address is ours.
FAR_AWAY = ("192.0.2.1", 9)
_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of the interface of this name


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address; port 0 is any free one. Raises SettingsError where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        strange = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        raise SettingsError(
            f"The page cannot listen on {host} port {port}: {error.strerror}.",
            "Give --host an address of this machine, or 0.0.0.0 for all."
            if strange
            else "Stop the program that uses it, or choose another with --host and --port.",
        ) from error


def lan_address() -> str | None:
    """Return this machine's address on the home network, None where it is on none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(FAR_AWAY)
        except OSError:
            return None
        own: str = asking.getsockname()[0]
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
