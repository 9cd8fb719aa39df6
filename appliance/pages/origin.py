"""Which callers are turned away, told from a request's headers alone: foreign names and foreign pages."""

import ipaddress
import socket
from urllib.parse import urlsplit

# Endings that no registry gives away, and the ones home routers make up.
HOME_ENDINGS = (
    ".local", ".localhost", ".localdomain", ".lan", ".home", ".home.arpa", ".internal", ".intranet", ".private",
    ".fritz.box", ".test",
)  # fmt: skip


def is_home_name(host: str) -> bool:
    """Tell whether a Host header (`name` or `name:port`) is an address, a bare name or a home network's name."""
    name = bare_name(host)
    if not name or "." not in name or name.endswith(HOME_ENDINGS):
        return True  # no Host at all is HTTP/1.0: no browser
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == socket.gethostname().lower()
    return True


def is_foreign(host: str, origin: str | None, site: str | None) -> bool:
    """Tell whether another web site's page asks, from the headers Host, Origin and Sec-Fetch-Site."""
    foreign_site = site is not None and site not in {"same-origin", "none"}
    return foreign_site or (origin is not None and _place(origin) != host.lower())


def _place(origin: str) -> str | None:
    """Return the `name:port` of an Origin header, None for what is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def bare_name(host: str) -> str:
    """Return the host's name without port, brackets and final dot."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
