"""Who asks, and what each route needs of them: `opt=needs(Scope.ADMIN)` on a handler."""

from typing import Any

from litestar.connection import ASGIConnection

from appliance.records import Caller, Scope

NEEDS = "needs"
# Answered before anybody has said who they are: login, first visit, health and static files.
OPEN: dict[str, Any] = {NEEDS: None}


def needs(scope: Scope) -> dict[str, Any]:
    """Return a handler's `opt` that lets in whoever has `scope`.

    A handler without one needs `read` to be asked and `write` to change something.
    """
    return {NEEDS: scope}


def caller(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Return who asks."""
    found: Caller = getattr(connection.state, "caller", Caller("", frozenset(Scope)))
    return found
