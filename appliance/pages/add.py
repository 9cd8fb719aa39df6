"""The add page: where phones and computers send their photos and videos, with script or without."""

import asyncio
from typing import Any

from litestar import Request, Response, post, route
from litestar.di import NamedDependency

from appliance.pages.access import needs
from appliance.pages.box import Box
from appliance.pages.form import Sent, receive_files
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope


# Async, with the thread asked for by hand: where a path has two methods, Litestar 2.25 would not await its own wrapper.
@route("/add", http_method=GET)  # type: ignore[arg-type]
async def add(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    return await asyncio.to_thread(_page, box, templates, [])


# Without a limit here: each file's bytes are counted against the owner's setting.
@post("/add", status_code=200, opt=needs(Scope.UPLOAD), request_max_body_size=None)
async def add_form(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Take in the files of a form, and answer the page with what became of each."""
    sent = await receive_files(request, box)
    return await asyncio.to_thread(_page, box, templates, sent)


def _page(box: Box, templates: Templates, sent: list[Sent]) -> Response[str]:
    with box.library() as db:
        return html(templates.page("add.html", box, db, "add", limit_bytes=box.upload_limit, sent=sent))
