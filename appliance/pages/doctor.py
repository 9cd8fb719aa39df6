"""What the doctor found: a page, the same as JSON, and a button to look again or to mend what can be mended."""

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.response import Redirect

from appliance.library.database import instant
from appliance.pages.access import needs
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.errors import RequestError
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope
from appliance.sentences import Sentence
from appliance.work import checkup
from appliance.work.explained import EXPLAINED

PAGE = "/settings/doctor"
MOST = 4096  # bytes of what is sent
MOST_FIELDS = 10


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a program asks for."""

    repair: bool = False


# Async, with the thread asked for by hand: where a path has two methods, Litestar 2.25 would not await its own wrapper.
@route(PAGE, http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def doctor_page(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page of the last look."""
    return await asyncio.to_thread(_page, box, templates)


@post(PAGE, opt=needs(Scope.ADMIN), request_max_body_size=MOST)
async def look_by_form(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Redirect:
    """Begin to look, and to mend where the form says so."""
    repair = form_fields(await whole(request), MOST_FIELDS).get("repair", "") == "1"
    await asyncio.to_thread(checkup.start, box.settings.data, repair=repair)
    return Redirect(PAGE, status_code=303)


@get("/api/v1/doctor", opt=needs(Scope.ADMIN))
async def doctor(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer what was found at the last look, and how far it is."""
    return await asyncio.to_thread(_told, box)


@post("/api/v1/doctor", status_code=202, opt=needs(Scope.ADMIN), request_max_body_size=MOST)
async def look(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Look everything over, and mend what can be mended where `repair` is true; it goes on after this answer."""
    body = await whole(request)
    try:
        wish = msgspec.json.decode(body, type=Wish) if body else Wish()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RequestError("The body is not what can be asked for.", 'Send {"repair": true}, or nothing.') from None
    await asyncio.to_thread(checkup.start, box.settings.data, repair=wish.repair)
    return await asyncio.to_thread(_told, box)


def _told(box: Box) -> dict[str, Any]:
    found = checkup.read(box.settings.data)
    if found is None:
        return {"state": "never", "started": None, "finished": None, "repair": False, "error": "", "findings": []}
    return {
        "state": found.state,
        "started": instant(found.started),
        "finished": None if found.finished is None else instant(found.finished),
        "repair": found.repair,
        "error": Sentence.read(found.error),
        "findings": [
            {
                "about": one.about,
                "title": EXPLAINED[one.about].title,
                "verdict": one.verdict,
                "text": Sentence.read(one.text),
                "next_step": Sentence.read(one.next_step),
                "what": EXPLAINED[one.about].what,
                "why": EXPLAINED[one.about].why,
                "mendable": one.mendable,
            }
            for one in found.findings
            if one.about in EXPLAINED  # written by another release
        ],
    }


def _page(box: Box, templates: Templates) -> Response[str]:
    with box.library() as db:
        return html(templates.page("settings_doctor.html", box, db, "settings", look=_told(box), checks=len(EXPLAINED)))
