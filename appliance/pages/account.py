"""One's own account: the password, and where one is signed in."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from appliance.errors import AccountError, NotFoundError
from appliance.library import accounts, sessions
from appliance.library.database import Connection, instant
from appliance.pages.access import asking, needs
from appliance.pages.body import form_fields, read_json, whole
from appliance.pages.box import Box
from appliance.pages.errors import NotAllowedError, RequestError, TooOftenError
from appliance.pages.head import GET
from appliance.pages.login import LARGEST_BODY, MOST_FIELDS, Doors
from appliance.pages.templates import Templates, html
from appliance.records import Caller, Scope

PAGE = "/account"
_ID_LETTERS = 16  # of a session's hash: enough to tell one's own sessions apart

# Whoever may look may also leave, and choose their own password.
_OWN_SCOPE = needs(Scope.READ)


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """One's present password, and the next."""

    present: str
    password: str


@route(PAGE, http_method=GET, opt=_OWN_SCOPE)  # type: ignore[arg-type]
async def account_page(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page."""
    return await asyncio.to_thread(_page, box, templates, done=request.query_params.get("done", ""))


@post(PAGE, opt=_OWN_SCOPE, request_max_body_size=LARGEST_BODY)
async def account_form(
    request: Request[Any, Any, Any],
    box: NamedDependency[Box],
    templates: NamedDependency[Templates],
    doors: NamedDependency[Doors],
) -> Response[Any]:
    """Do what the button that was pressed names: `password`, `end SESSION` or `end-all`."""
    typed = form_fields(await whole(request), MOST_FIELDS)
    return await asyncio.to_thread(_act, box, templates, doors, typed)


@get("/api/v1/account", opt=_OWN_SCOPE, sync_to_thread=True)
def account(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer who asks, what they may do and, of a person, where they are signed in."""
    with box.library() as db:
        return _told(db)


@put("/api/v1/account/password", status_code=204, opt=_OWN_SCOPE, request_max_body_size=LARGEST_BODY)
async def account_password(
    request: Request[Any, Any, Any], box: NamedDependency[Box], doors: NamedDependency[Doors]
) -> None:
    """Take `password` in the place of the `present` one, and sign out everywhere else."""
    given = read_json(await whole(request), NewPassword)
    await asyncio.to_thread(_in_library, box, lambda db: _change(db, doors, given.present, given.password))


@delete("/api/v1/account/sessions", status_code=204, opt=_OWN_SCOPE)
async def account_sessions_end(box: NamedDependency[Box]) -> None:
    """Sign out everywhere but here."""
    await asyncio.to_thread(_in_library, box, _end_all)


@delete("/api/v1/account/sessions/{session:str}", status_code=204, opt=_OWN_SCOPE)
async def account_session_end(session: FromPath[str], box: NamedDependency[Box]) -> None:
    """Sign out one of one's own sessions."""
    await asyncio.to_thread(_in_library, box, lambda db: _end(db, session))


def _in_library(box: Box, do: Callable[[Connection], None]) -> None:
    with box.library() as db:
        do(db)


def _own() -> tuple[int, Caller]:
    """Return the account that asks."""
    caller = asking().caller
    if caller is None or caller.account_id is None:
        raise NotAllowedError("An access key has no account of its own.", "Sign in with a name and a password.")
    return caller.account_id, caller


def _change(db: Connection, doors: Doors, present: str, password: str) -> None:
    account_id, caller = _own()
    by_name = f"account {account_id}"
    wait = doors.names.wait(by_name)
    if wait:
        raise TooOftenError("That was tried too often.", "Wait {wait} minutes, then try again.", wait=-(-wait // 60))
    account = accounts.verify(db, caller.name, present)
    if account is None or account.id != account_id:
        raise AccountError("Your present password is another one.", "Type it once more.")
    doors.names.forget(by_name)
    accounts.set_password(db, account.id, password)
    sessions.end_all(db, account.id, but=caller.session)


def _end_all(db: Connection) -> None:
    account_id, caller = _own()
    sessions.end_all(db, account_id, but=caller.session)


def _end(db: Connection, session: str) -> None:
    account_id, _ = _own()
    for one in sessions.every(db, account_id):
        if one.token_hash[:_ID_LETTERS] == session:
            sessions.end(db, one.token_hash)
            return
    raise NotFoundError("This device is signed out already.", "Look at the list again.")


def _told(db: Connection) -> dict[str, Any]:
    caller = asking().caller or Caller("", frozenset())
    own = [] if caller.account_id is None else sessions.every(db, caller.account_id)
    return {
        "name": caller.name,
        "scopes": sorted(caller.scopes),
        "sessions": [
            {
                "id": one.token_hash[:_ID_LETTERS],
                "device": one.device,
                "since": instant(one.created_at),
                "seen": instant(one.seen_at),
                "this": one.token_hash == caller.session,
            }
            for one in own
        ],
    }


def _act(box: Box, templates: Templates, doors: Doors, typed: dict[str, str]) -> Response[Any]:
    action, _, session = typed.get("do", "").partition(" ")
    try:
        with box.library() as db:
            if action == "password":
                if typed.get("password", "") != typed.get("again", ""):
                    raise AccountError("The two new passwords are not the same.", "Type both once more.")
                _change(db, doors, typed.get("present", ""), typed.get("password", ""))
            elif action == "end":
                _end(db, session)
            elif action == "end-all":
                _end_all(db)
            else:
                raise RequestError("The form names nothing to do.", "Open the page again and send it from there.")
    except (AccountError, NotFoundError, TooOftenError) as error:
        return _page(box, templates, trouble=error)
    return Redirect(f"{PAGE}?done={action}", status_code=303)


def _page(
    box: Box,
    templates: Templates,
    *,
    done: str = "",
    trouble: AccountError | NotFoundError | TooOftenError | None = None,
) -> Response[str]:
    _own()
    with box.library() as db:
        text = templates.page(
            "account.html", box, db, "account", account=_told(db), done=done, trouble=trouble,
            shortest=accounts.SHORTEST_PASSWORD,
        )  # fmt: skip
    return html(text, 200 if trouble is None else 422)
