"""Signing in and out."""

import asyncio
import hmac
import secrets
from typing import Any

from litestar import Request, Response, post, route
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect

from appliance.library import accounts, sessions
from appliance.pages.access import OPEN, asking
from appliance.pages.attempts import Attempts
from appliance.pages.auth import COOKIE, FORM_COOKIE
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.sentences import Sentence, say

LARGEST_BODY = 16 << 10
MOST_FIELDS = 50
KEPT_SECONDS = 400 * 86400  # as long as browsers keep a cookie; the box knows when a session is over
WRONG = say("This name and password do not belong together.")
TOO_OLD = say("This page was open for too long. Please try once more.")


class Doors:
    """The limits on guessing, of one running box."""

    def __init__(self) -> None:
        self.names = Attempts(10)
        self.addresses = Attempts(30)
        self.claims = Attempts(10)


@route("/login", http_method=GET, opt=OPEN)  # type: ignore[arg-type]
async def login(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[Any]:
    """Answer the form."""
    return await asyncio.to_thread(_page, box, templates, request, onward(request.query_params.get("next", "")))


@post("/login", opt=OPEN, request_max_body_size=LARGEST_BODY)
async def sign_in(
    request: Request[Any, Any, Any],
    box: NamedDependency[Box],
    templates: NamedDependency[Templates],
    doors: NamedDependency[Doors],
) -> Response[Any]:
    """Sign in and go on to where they wanted to."""
    typed = form_fields(await whole(request), MOST_FIELDS)
    return await asyncio.to_thread(_sign_in, box, templates, doors, request, typed)


@post("/logout")
async def sign_out(box: NamedDependency[Box]) -> Response[Any]:
    """End this session."""
    caller = asking().caller
    if caller is not None and caller.session is not None:
        await asyncio.to_thread(_end, box, caller.session)
    answer: Response[Any] = Redirect("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def too_often(minutes: int) -> Sentence:
    """Return what to tell somebody who has guessed too often."""
    return say("That was tried too often. Wait {minutes} minutes, then try again.", minutes=minutes)


def onward(address: str) -> str:
    """Return an address on this box to go on to, the library's for any other."""
    local = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if local and not address.startswith("/login") else "/"


def came_from_here(request: Request[Any, Any, Any], typed: dict[str, str]) -> bool:
    """Tell whether a form that was sent by nobody in particular is one that this box gave to this browser."""
    cookie = request.cookies.get(FORM_COOKIE, "")
    return bool(cookie) and hmac.compare_digest(cookie.encode(), typed.get("csrf", "").encode())


def with_form_token(request: Request[Any, Any, Any]) -> tuple[str, Cookie]:
    """Return the token for a form that is sent before anybody is signed in, and the cookie that must go with it."""
    known = request.cookies.get(FORM_COOKIE, "")
    token = known if len(known) == 43 and known.isascii() and known.isprintable() else secrets.token_urlsafe(32)
    return token, Cookie(FORM_COOKIE, value=token, httponly=True, samesite="strict", path="/")


def session_cookie(token: str) -> Cookie:
    """Return the cookie that a browser stays signed in by. Not `Secure`: the home network speaks plain HTTP."""
    return Cookie(COOKIE, value=token, max_age=KEPT_SECONDS, httponly=True, samesite="lax", path="/")


def address_of(request: Request[Any, Any, Any]) -> str:
    """Return the address of the device that asks."""
    return request.client.host if request.client else ""


def device_of(request: Request[Any, Any, Any]) -> str:
    """Return a few words for the device that asks: `Firefox on Android`."""
    agent = request.headers.get("user-agent", "")
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    )  # fmt: skip
    browser = next((name for mark, name in browsers if mark in agent), say("A program"))
    system = next((name for mark, name in systems if mark in agent), "")
    return say("{browser} on {system}", browser=browser, system=system) if system else browser


def _sign_in(
    box: Box, templates: Templates, doors: Doors, request: Request[Any, Any, Any], typed: dict[str, str]
) -> Response[Any]:
    name, following = typed.get("name", ""), onward(typed.get("next", ""))
    if not came_from_here(request, typed):
        return _page(box, templates, request, following, name, TOO_OLD, 403)
    by_name = " ".join(name.casefold().split())[:80]
    wait = doors.addresses.wait(address_of(request)) or doors.names.wait(by_name)
    if wait:
        said = too_often(-(-wait // 60))
        answer = _page(box, templates, request, following, name, said, 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    with box.library() as db:
        account = accounts.verify(db, name, typed.get("password", ""))
        if account is None:
            return _page(box, templates, request, following, name, WRONG, 422)
        token = sessions.begin(db, account.id, device_of(request))
    doors.names.forget(by_name)
    return Redirect(following, status_code=303, cookies=[session_cookie(token)])


def _page(
    box: Box,
    templates: Templates,
    request: Request[Any, Any, Any],
    following: str,
    name: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response[Any]:
    with box.library() as db:
        if not accounts.exist(db):
            return Redirect("/welcome", status_code=303)
        token, cookie = with_form_token(request)
        text = templates.page("login.html", box, db, "", csrf=token, next=following, name=name, wrong=wrong)
    answer: Response[Any] = html(text, status)
    answer.set_cookie(cookie)
    return answer


def _end(box: Box, token_hash: str) -> None:
    with box.library() as db:
        sessions.end(db, token_hash)
