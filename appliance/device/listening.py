"""The socket that the page listens on."""

import errno
import socket

from appliance.errors import SettingsError

BACKLOG = 128  # connections that may wait to be accepted


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
