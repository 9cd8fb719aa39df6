"""The library page: everything in it, or what was searched for, newest first."""

from typing import Any

from litestar import Request, Response, route
from litestar.di import NamedDependency

from appliance.library import items, tally
from appliance.pages.box import Box
from appliance.pages.filters import Filters
from appliance.pages.head import GET
from appliance.pages.serialise import items_json, model_name
from appliance.pages.templates import Templates, html
from appliance.records import ModelInfo

TAGS = 12  # of the commonest, to choose from


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
        text = templates.page(
            "library.html", box, db, "library",
            items=items_json(db, page.items, models, filters.q),
            revision=revision,
            cursor=page.cursor,
            filters=filters.shown(),
            total=items.count(db, **filters.wanted()),
            most_counted=items.MOST_COUNTED,
            years=items.years(db),
            tags=[(tag, tag) for tag in tally.commonest_tags(db, TAGS)],
            describers=_named(items.describers(db), models),
            described_by=model_name(filters.described_by or "", models),
            timeline=timeline,
            start=filters.start,
            newer=min((month for month, _ in timeline if filters.start and month > filters.start), default=None),
        )  # fmt: skip
    return html(text)


def _named(ids: list[str], models: dict[str, ModelInfo]) -> list[tuple[str, str]]:
    """Return each model's id and name; variants of one name go by their ids."""
    names = [model_name(id, models) for id in ids]
    return [(id, id if names.count(name) > 1 else name) for id, name in zip(ids, names, strict=True)]
