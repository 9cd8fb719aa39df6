"""The socket that the page listens on, and where others find it."""

import errno
import socket
from ipaddress import ip_address

from appliance.errors import SettingsError
from appliance.sentences import say

BACKLOG = 128  # connections that may wait to be accepted
# An address set aside for documentation: asking for the way there sends nothing, but tells which address is ours.
FAR_AWAY = ("192.0.2.1", 9)


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


def lan_address() -> str | None:
    """Return this machine's address on the home network, None where it is on none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(FAR_AWAY)
        except OSError:
            return None
        own: str = asking.getsockname()[0]
    return None if ip_address(own).is_loopback else own
