"""What every answer carries, and which callers are turned away.

A web page somewhere on the Internet, opened at home, can send requests to the box. It must not be able to change
anything (its `Origin` is not the box) nor to read anything (a name of its own that it points at the box's address: DNS
rebinding).
"""

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from appliance.pages.auth import SAFE_METHODS, admit
from appliance.pages.errors import ForeignPageError, WrongAddressError
from appliance.pages.origin import bare_name, is_foreign, is_home_name

HEADERS = {
    "Cache-Control": "no-cache",  # but for files, which say themselves how long they may be kept
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def add_headers(message: Message, scope: Scope) -> None:
    """Give every answer the headers that it does not bring itself."""
    if message["type"] == "http.response.start":
        message.setdefault("headers", [])
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)


async def guard(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Turn away calls by a foreign name, changes asked for by a foreign page, and whoever may not do that.

    curl sends no Origin, and shows an access key.
    """
    headers = connection.headers
    host = headers.get("host", "")
    if not is_home_name(host):
        raise WrongAddressError(
            "This box does not answer to the name {name}.",
            "Open it by its address or its name on the home network, for example http://shoebox.local.",
            name=repr(bare_name(host)),
        )
    if connection.scope.get("method") not in SAFE_METHODS:
        _refuse_foreign(headers, host)
    await admit(connection, handler)


def _refuse_foreign(headers: Headers, host: str) -> None:
    if is_foreign(host, headers.get("origin"), headers.get("sec-fetch-site")):
        raise ForeignPageError(
            "A page of another web site tried to change something on this box.", "Do it on the box's own page."
        )
