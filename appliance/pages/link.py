"""A link's page: whoever has its address may send files in, until it is over, and sees nothing of the library.

The token in the address is what lets in, and no other site's page knows it: nothing more is asked of the form, or of
the uploads in pieces that the page's script begins.
"""

import asyncio
from typing import Any

from litestar import Request, Response, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from starlette.responses import Response as StarletteResponse

from appliance.errors import NotFoundError
from appliance.library import links
from appliance.library.database import instant
from appliance.pages import form_upload, tus, uploads
from appliance.pages.access import OPEN
from appliance.pages.body import announced_length
from appliance.pages.box import Box
from appliance.pages.form_upload import Outcome
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Link

PATH = "/u/{token:str}"


@route(PATH, http_method=GET, opt=OPEN)  # type: ignore[arg-type]
async def link_page(
    token: FromPath[str], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the form."""
    link = await asyncio.to_thread(_find, box, token)
    return await asyncio.to_thread(_page, box, templates, token, link)


@post(PATH, opt=OPEN, request_max_body_size=None, status_code=200)
async def link_send(
    token: FromPath[str],
    request: Request[Any, Any, Any],
    box: NamedDependency[Box],
    templates: NamedDependency[Templates],
) -> Response[str]:
    """Take in the files of the form, and answer it with what became of them."""
    link = await asyncio.to_thread(_find, box, token)
    await asyncio.to_thread(uploads.check_place, box, announced_length(request.headers.get("content-length")))
    outcomes = [outcome async for outcome in form_upload.take_in(request, box)]
    return await asyncio.to_thread(_sent, box, templates, token, link, outcomes)


@route(f"{PATH}/tus", http_method=["POST", "OPTIONS"], opt=OPEN, request_max_body_size=None)
async def link_begin(
    token: FromPath[str], request: Request[Any, Any, Any], box: NamedDependency[Box]
) -> StarletteResponse:
    """Begin an upload in pieces, as `/api/v1/tus` does; what became of it is told, but not what the library has."""
    return await tus.begun(lambda: _sender(box, token), request, box)


@route(
    f"{PATH}/tus/{{number:str}}",
    http_method=["HEAD", "PATCH", "DELETE", "POST", "OPTIONS"],
    opt=OPEN,
    request_max_body_size=None,
)
async def link_go_on(
    token: FromPath[str], number: FromPath[str], request: Request[Any, Any, Any], box: NamedDependency[Box]
) -> StarletteResponse:
    """Go on with such an upload, as `/api/v1/tus/NUMBER` does."""
    return await tus.gone_on(lambda: _sender(box, token), number, request, box)


def _sender(box: Box, token: str) -> tus.Sender:
    return tus.Sender(f"/u/{token}/tus", _find(box, token))


def _find(box: Box, token: str) -> Link:
    box.presence.check()
    with box.library() as db:
        link = links.find(db, token)
    if link is None:
        raise NotFoundError("This link is over, or never was one.", "Ask whoever gave it to you for a new one.")
    return link


def _sent(box: Box, templates: Templates, token: str, link: Link, outcomes: list[Outcome]) -> Response[str]:
    with box.library() as db:
        links.note(db, link.id, sum(outcome.item is not None for outcome in outcomes))
    return _page(box, templates, token, link, outcomes=outcomes)  # also where it ended while they were sent


def _page(box: Box, templates: Templates, token: str, link: Link, **more: Any) -> Response[str]:
    with box.library() as db:
        text = templates.page(
            "link.html",
            box,
            db,
            "",
            link=link,
            token=token,
            until=instant(link.expires_at),
            limit_bytes=box.upload_limit,
            **more,
        )
    return html(text)
