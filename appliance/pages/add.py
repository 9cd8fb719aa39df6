"""The add page: where phones and computers send their photos and videos."""

import asyncio
from typing import Any

from litestar import Response, route
from litestar.di import NamedDependency

from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html


# Async, with the thread asked for by hand: where a path has two methods, Litestar 2.25 would not await its own wrapper.
@route("/add", http_method=GET)  # type: ignore[arg-type]
async def add(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    return await asyncio.to_thread(page, box, templates)


def page(box: Box, templates: Templates, **more: Any) -> Response[str]:
    """Return the page; `outcomes` tells what became of the files that a plain form sent."""
    with box.library() as db:
        return html(templates.page("add.html", box, db, "add", limit_bytes=box.upload_limit, **more))
