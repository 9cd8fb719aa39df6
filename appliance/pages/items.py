"""The API's items: list them, read one, ask for one to be described again, or call that off."""

import asyncio
import time
from typing import Any

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response

from appliance.library import items, jobs
from appliance.pages import edits
from appliance.pages.box import Box
from appliance.pages.errors import NothingWaitingError
from appliance.pages.filters import Filters
from appliance.pages.serialise import etag, history_json, item_json, items_json
from appliance.records import Priority


@get("/", sync_to_thread=True)
def listing(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer one page of the library, newest first or the best of a search, and the cursor of the next."""
    filters = Filters.read(request.query_params)
    with box.library() as db:
        page = filters.page(db)
        return {
            "items": items_json(db, page.items, box.known_models(), filters.q),
            "cursor": page.cursor,
            "order": items.Order.BEST if page.ranked else items.Order.NEWEST,
        }


@get("/api/v1/timeline", sync_to_thread=True)
def timeline(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer the months that have items, the newest first, with how many each has and the cursor that begins there."""
    filters = Filters.read(request.query_params)
    with box.library() as db:
        months = items.months(db, **filters.wanted())
    return {
        "months": [{"month": month, "count": count, "cursor": items.cursor_before(month)} for month, count in months]
    }


# Async, with the thread asked for by hand: where a path has two methods, Litestar 2.25 would not await its own wrapper.
@get("/{number:int}")
async def one(
    number: FromPath[int], request: Request[Any, Any, Any], box: NamedDependency[Box]
) -> Response[dict[str, Any] | None]:
    """Answer one item, with an ETag for `If-Match` of a change; 304 where `If-None-Match` still fits."""
    return await asyncio.to_thread(_one, number, request.headers.get("if-none-match", ""), box)


def _one(number: int, seen: str, box: Box) -> Response[dict[str, Any] | None]:
    with box.library() as db:
        item = items.get(db, number)
        headers = {"ETag": etag(item)}
        if etag(item) in [one.strip().removeprefix("W/") for one in seen.split(",")]:
            return Response(None, status_code=304, headers=headers)
        return Response(item_json(db, item, box.known_models()), headers=headers)


@get("/{number:int}/history", sync_to_thread=True)
def history(number: FromPath[int], box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer every description an item had, the one shown first, then the newest: by whom, when, how long it took."""
    with box.library() as db:
        items.get(db, number)
        return {"history": history_json(db, number, box.known_models())}


# Two handlers rather than one of two paths, whose thread wrapper Litestar 2.25 would not await.
@post("/{number:int}/describe", sync_to_thread=True)
def describe(number: FromPath[int], box: NamedDependency[Box]) -> Response[dict[str, Any]]:
    """Have an item described (again), before all that nobody waits for."""
    return _again(number, box)


@post("/{number:int}/retry", sync_to_thread=True)
def retry(number: FromPath[int], box: NamedDependency[Box]) -> Response[dict[str, Any]]:
    """Try an item again that could not be described."""
    return _again(number, box)


@post("/{number:int}/cancel", status_code=200, sync_to_thread=True)
def cancel(number: FromPath[int], box: NamedDependency[Box]) -> dict[str, Any]:
    """Call off an item's waiting description: it is as it was before it was asked for."""
    with box.library() as db:
        items.get(db, number)
        if not jobs.cancel(db, number):
            raise NothingWaitingError(
                "Nothing is waiting to be done with this.", "What is being described already is done in a moment."
            )
        return item_json(db, items.get(db, number), box.known_models())


def _again(number: int, box: Box) -> Response[dict[str, Any]]:
    with box.library() as db:
        items.get(db, number)
        # What could not be made ready at its first try is made ready again, too.
        rung = jobs.again(db, number, Priority.PERSON, now=time.time())
        body = item_json(db, items.get(db, number), box.known_models())
    box.ring(rung)
    return Response(body, status_code=202)


router = Router("/api/v1/items", route_handlers=[listing, one, history, describe, retry, cancel, *edits.HANDLERS])
