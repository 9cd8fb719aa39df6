"""The first visit: the box gets a name, an owner, its time zone, its hours, and shows the way for the phones."""

import asyncio
import hmac
import io
from typing import Any

import segno
from litestar import Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.response import Redirect

from appliance.device.listening import home_name, lan_address
from appliance.errors import AccountError, SettingsError
from appliance.library import accounts, database, preferences, sessions
from appliance.pages import disks
from appliance.pages.access import OPEN, needs
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.login import (
    LARGEST_BODY,
    MOST_FIELDS,
    TOO_OLD,
    Doors,
    address_of,
    came_from_here,
    device_of,
    session_cookie,
    too_often,
    with_form_token,
)
from appliance.pages.questions import zones
from appliance.pages.templates import Templates, html
from appliance.records import Scope
from appliance.sentences import say

WRONG_CODE = say(
    "This is not the code of this box. It is on its screen, in shoebox-claim-code.txt on its card, or was shown when it"
    " was installed."
)
UNLIKE = say("The two passwords are not the same.")


@route("/welcome", http_method=GET, opt=OPEN)  # type: ignore[arg-type]
async def welcome(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[Any]:
    """Answer the first step, as long as nobody has done it."""
    return await asyncio.to_thread(_first, box, templates, request, {})


@post("/welcome", opt=OPEN, request_max_body_size=LARGEST_BODY)
async def begin(
    request: Request[Any, Any, Any],
    box: NamedDependency[Box],
    templates: NamedDependency[Templates],
    doors: NamedDependency[Doors],
) -> Response[Any]:
    """Make the owner's account and sign them in."""
    typed = form_fields(await whole(request), MOST_FIELDS)
    return await asyncio.to_thread(_begin, box, templates, doors, request, typed)


@route("/welcome/when", http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def when(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the second step: describe now or at night."""
    return await asyncio.to_thread(_step, box, templates, 2)


@post("/welcome/when", opt=needs(Scope.ADMIN), request_max_body_size=LARGEST_BODY)
async def choose(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response[Any]:
    """Take in when to describe."""
    now = form_fields(await whole(request), MOST_FIELDS).get("when") != "night"
    await asyncio.to_thread(_choose, box, now)
    more = await asyncio.to_thread(disks.offered, box)
    return Redirect("/welcome/disk" if more else "/welcome/phones", status_code=303)


@route("/welcome/phones", http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def phones(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the third step: the address for the family's phones."""
    return await asyncio.to_thread(_step, box, templates, 3, address=home_address(request))


@get("/welcome/qr.svg", opt=needs(Scope.ADMIN), sync_to_thread=True)
def qr(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer the address as a QR code."""
    return Response(picture(home_address(request)), media_type="image/svg+xml")


def home_address(request: Request[Any, Any, Any]) -> str:
    """Return the address that other devices at home reach this page by, as far as the box can tell."""
    name, colon, port = request.headers.get("host", "").rpartition(":")
    if not colon or not port.isdecimal():
        name, port = request.headers.get("host", ""), ""
    if name in {"localhost", "[::1]", ""} or name.startswith("127."):
        name = lan_address() or home_name() or name
    return f"http://{name}{':' + port if port else ''}/"


def picture(text: str) -> bytes:
    """Return a QR code as SVG, dark on light in every theme."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=8, border=4, light="#fff", dark="#000")
    return out.getvalue()


def _begin(
    box: Box, templates: Templates, doors: Doors, request: Request[Any, Any, Any], typed: dict[str, str]
) -> Response[Any]:
    if not came_from_here(request, typed):
        return _first(box, templates, request, typed, TOO_OLD, 403)
    expected = box.settings.claim_code
    if expected:
        wait = doors.claims.wait(address_of(request))
        if wait:
            return _first(box, templates, request, typed, too_often(-(-wait // 60)), 429)
        if not hmac.compare_digest(typed.get("claim_code", "").strip().encode(), expected.encode()):
            return _first(box, templates, request, typed, WRONG_CODE, 422)
    if typed.get("password", "") != typed.get("again", ""):
        return _first(box, templates, request, typed, UNLIKE, 422)
    chosen = {name: typed[name] for name in ("box_name", "time_zone") if typed.get(name)}
    try:
        with box.library() as db:
            if accounts.exist(db):
                return Redirect("/", status_code=303)
            good, refused = preferences.check(chosen, preferences.get(db, box.settings))
            for error in refused.values():
                raise error
            with database.transaction(db):
                account = accounts.create_first(db, typed.get("name", ""), typed.get("password", ""))
                preferences.set_all(db, good)
                token = sessions.begin(db, account.id, device_of(request))
    except (AccountError, SettingsError) as error:
        return _first(box, templates, request, typed, str(error), 422)
    return Redirect("/welcome/when", status_code=303, cookies=[session_cookie(token)])


def _choose(box: Box, now: bool) -> None:
    with box.library() as db:
        good, _ = preferences.check(
            {"auto_process_on_upload": now, "scheduled_processing": True}, preferences.get(db, box.settings)
        )
        preferences.set_all(db, good)


def _first(
    box: Box,
    templates: Templates,
    request: Request[Any, Any, Any],
    typed: dict[str, str],
    wrong: str = "",
    status: int = 200,
) -> Response[Any]:
    with box.library() as db:
        if accounts.exist(db):
            return Redirect("/", status_code=303)
        token, cookie = with_form_token(request)
        text = templates.page(
            "welcome.html", box, db, "",
            step=1, csrf=token, typed=typed, wrong=wrong, coded=bool(box.settings.claim_code), zones=zones(),
            own_zone=box.own_zone.key, shortest=accounts.SHORTEST_PASSWORD,
        )  # fmt: skip
    answer: Response[Any] = html(text, status)
    answer.set_cookie(cookie)
    return answer


def _step(box: Box, templates: Templates, step: int, **more: Any) -> Response[str]:
    with box.library() as db:
        return html(templates.page("welcome.html", box, db, "", step=step, **more))
