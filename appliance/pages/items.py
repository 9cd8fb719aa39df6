"""The API's items: list them, read one, ask for one to be described again, or call that off."""

import time
from typing import Any

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response

from appliance.library import items, jobs
from appliance.pages.box import Box
from appliance.pages.errors import NothingWaitingError
from appliance.pages.filters import Filters
from appliance.pages.serialise import item_json, items_json
from appliance.records import Priority


@get("/", sync_to_thread=True)
def listing(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer one page of the library, newest first, and the cursor of the next."""
    filters = Filters.read(request.query_params)
    with box.library() as db:
        page = items.page(db, **filters.query())
        return {"items": items_json(db, page.items, box.known_models()), "cursor": page.cursor}


@get("/{number:int}", sync_to_thread=True)
def one(number: FromPath[int], box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer one item."""
    with box.library() as db:
        return item_json(db, items.get(db, number), box.known_models())


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


router = Router("/api/v1/items", route_handlers=[listing, one, describe, retry, cancel])
