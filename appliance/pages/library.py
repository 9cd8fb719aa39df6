"""The library page: everything in it, or what was searched for, newest first."""

from typing import Any

from litestar import Request, Response, route
from litestar.di import NamedDependency

from appliance.library import items
from appliance.pages.box import Box
from appliance.pages.chips import chips
from appliance.pages.filters import Filters
from appliance.pages.head import GET
from appliance.pages.serialise import items_json, model_name
from appliance.pages.templates import Templates, html


@route("/", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def library(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page."""
    filters = Filters.read(request.query_params)
    models = box.known_models()
    with box.library() as db:
        revision = items.revision(db)  # first: what changes meanwhile is told to the page once it listens
        page, timeline = filters.page(db), filters.timeline(db)
        offered = chips(db, models)
        shown = filters.shown()
        if not page.ranked:
            shown["order"] = ""
        text = templates.page(
            "library.html", box, db, "library",
            items=items_json(db, page.items, models, filters.q),
            revision=revision,
            cursor=page.cursor,
            filters=shown,
            too_many=filters.q is not None and filters.order is items.Order.BEST and not page.ranked,
            total=items.count(db, **filters.wanted()),
            most_counted=items.MOST_COUNTED,
            years=offered.years,
            tags=[(tag, tag) for tag in offered.tags],
            describers=offered.describers,
            described_by=model_name(filters.described_by or "", models),
            timeline=timeline,
            start=filters.start,
            newer=min((month for month, _ in timeline if filters.start and month > filters.start), default=None),
        )  # fmt: skip
    return html(text)
