"""Who asks, and what each route needs of them: `opt=needs(Scope.ADMIN)` on a handler."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from appliance.records import Caller, Role, Scope

NEEDS = "needs"
# Answered before anybody has said who they are: login, first visit, health and static files.
OPEN: dict[str, Any] = {NEEDS: None}

SCOPES = {Role.OWNER: frozenset(Scope), Role.MEMBER: frozenset({Scope.UPLOAD, Scope.READ, Scope.WRITE})}


@dataclass(frozen=True, slots=True)
class Asking:
    """Who makes the request at hand, None where nobody has said so, and the token that their forms carry."""

    caller: Caller | None = None
    csrf: str = ""


_NOBODY = Asking()
_ASKING: ContextVar[Asking] = ContextVar("asking", default=_NOBODY)


def needs(scope: Scope) -> dict[str, Any]:
    """Return a handler's `opt` that lets in whoever has `scope`.

    A handler without one needs `read` to be asked and `write` to change something.
    """
    return {NEEDS: scope}


def asking() -> Asking:
    """Return who makes the request at hand; for what has no connection, as the templates."""
    return _ASKING.get()


def remember(found: Asking) -> None:
    """Keep who makes the request at hand, for as long as it is answered."""
    _ASKING.set(found)
