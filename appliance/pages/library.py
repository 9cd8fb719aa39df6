"""The library page: everything in it, or what was searched for, newest first."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from appliance.library import items
from appliance.library.database import Connection
from appliance.library.items import Page
from appliance.pages.box import Box
from appliance.pages.filters import MOST_ITEMS, Filters
from appliance.pages.serialise import items_json
from appliance.pages.templates import Templates, html


@get("/", sync_to_thread=True)
def library(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page."""
    filters = Filters.read(request.query_params)
    with box.library() as db:
        page = items.page(db, **filters.query())
        text = templates.page(
            "library.html", box, db, "library",
            items=items_json(db, page.items, box.known_models()),
            cursor=page.cursor,
            filters=filters.shown(),
            total=_total(db, filters, page),
        )  # fmt: skip
    return html(text)


def _total(db: Connection, filters: Filters, page: Page) -> int:
    """Return how many items the filters find in all."""
    if not (filters.q or filters.kind or filters.tag):
        counts = items.counts(db)
        return counts[filters.status] if filters.status else sum(counts.values())
    query = filters.query() | {"cursor": None, "limit": MOST_ITEMS}
    if filters.cursor is not None:
        page = items.page(db, **query)
    total = len(page.items)
    while page.cursor is not None:
        page = items.page(db, **query | {"cursor": page.cursor})
        total += len(page.items)
    return total
