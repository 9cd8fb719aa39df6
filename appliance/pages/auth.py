"""Letting in: who asks, by session cookie or access key, whether they may, and whether their own page asked for it.

A change asked for with a session carries the session's token, which another site's page cannot know: in the header
X-CSRF-Token, or in the form's field `csrf`, which stands before any file. An access key is sent by no browser by
itself, so nothing more is asked of it.
"""

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from appliance.library import access_keys, accounts, sessions
from appliance.pages.access import NEEDS, SCOPES, Asking, remember
from appliance.pages.body import PATIENCE_SECONDS
from appliance.pages.box import Box
from appliance.pages.errors import FirstVisitError, ForgedFormError, NotAllowedError, SilentSenderError, StrangerError
from appliance.records import Caller, Scope

COOKIE = "shoebox"
FORM_COOKIE = "shoebox_form"  # for the forms that are sent before anybody is signed in
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
_PEEKED_BYTES = 64 << 10
_FIELD = re.compile(rb'name="csrf"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]*)\r\n')


async def admits_still(box: Box, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Return whether whoever asked is still let in: an answer may take long."""
    try:
        return (await asyncio.to_thread(_who, box, connection)).caller is not None
    except FirstVisitError:
        return False


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let the request through to its handler, or raise StrangerError, FirstVisitError, NotAllowedError or
    ForgedFormError."""
    method = str(connection.scope.get("method", "GET"))
    changes = method not in SAFE_METHODS
    need: Scope | None = handler.opt.get(NEEDS, Scope.WRITE if changes else Scope.READ)
    if need is None:
        remember(Asking(csrf=connection.cookies.get(FORM_COOKIE, "")))
        return
    found = await asyncio.to_thread(_who, connection.app.state["box"], connection)
    remember(found)
    if found.caller is None:
        raise StrangerError("You are not signed in.", "Sign in, or send an access key.")
    if need not in found.caller.scopes:
        raise NotAllowedError("You may not do that on this box.", "Ask the owner of the box.")
    if changes and found.csrf and not hmac.compare_digest(await _sent_token(connection), found.csrf.encode()):
        raise ForgedFormError("This page is too old to change anything.", "Open it again and do it once more.")


def csrf_of(token: str) -> str:
    """Return the token that the forms of a session carry."""
    return hmac.new(token.encode("utf-8", "surrogateescape"), b"csrf", sha256).hexdigest()


def _who(box: Box, connection: ASGIConnection[Any, Any, Any, Any]) -> Asking:
    kind, _, key = connection.headers.get("authorization", "").partition(" ")
    token = connection.cookies.get(COOKIE, "")
    box.presence.check()  # who may come in stands in the library that was here at the start
    with box.library() as db:
        if kind:
            known = access_keys.find(db, key.strip()) if kind.lower() == "bearer" else None
            if known is None:
                return Asking()
            # A person's key may no more than the person, who may be an owner no longer.
            holder = None if known.account_id is None else accounts.get(db, known.account_id)
            scopes = known.scopes if holder is None else known.scopes & SCOPES[holder.role]
            return Asking(Caller(known.name, scopes, known.account_id))
        session = sessions.find(db, token) if token else None
        if session is not None:
            account = accounts.get(db, session.account_id)
            caller = Caller(account.name, SCOPES[account.role], account.id, session.token_hash)
            return Asking(caller, csrf_of(token))
        if not accounts.exist(db):
            raise FirstVisitError("This box is not set up yet.", "Open its page in a browser and set it up first.")
    return Asking()


async def _sent_token(connection: ASGIConnection[Any, Any, Any, Any]) -> bytes:
    header = connection.headers.get(HEADER)
    if header is not None:
        return header.encode()
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not isinstance(connection, Request) or kind not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return b""
    begun = await _peek(connection)
    if kind == "multipart/form-data":
        found = _FIELD.search(begun)
        return found.group(1) if found else b""
    try:
        return parse_qs(begun.decode("ascii"), max_num_fields=1000).get("csrf", [""])[-1].encode()
    except ValueError:
        return b""


async def _peek(request: Request[Any, Any, Any]) -> bytes:
    """Return the beginning of the body, all of a small one; the handler gets it from the start."""
    receive: Callable[[], Awaitable[Any]] = request.receive
    taken: list[Any] = []
    begun = b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(begun) < _PEEKED_BYTES:
                taken.append(await receive())
                begun += taken[-1].get("body", b"")
                if not taken[-1].get("more_body", False):
                    break
    except TimeoutError:
        raise SilentSenderError("The request did not come to its end for a minute.", "Send it again.") from None

    async def again() -> Any:
        return taken.pop(0) if taken else await receive()

    request.receive = again
    return begun
