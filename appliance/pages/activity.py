"""The activity page: what is being described, what waits, what failed, what was done lately."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, route
from litestar.di import NamedDependency

from appliance.library import items, jobs
from appliance.library.database import Connection
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.serialise import items_json
from appliance.pages.templates import Templates, html
from appliance.records import ModelInfo, Status
from appliance.work import forecast

SHOWN = 50
LATELY = 12
CHANGES = 500  # an item changes a handful of times on its way, so these reach back far enough


@route("/activity", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def activity(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        models = box.known_models()

        def some(wanted: Status) -> list[dict[str, Any]]:
            return items_json(db, items.page(db, status=wanted, limit=SHOWN).items, models)

        text = templates.page(
            "activity.html", box, db, "activity",
            now=some(Status.PROCESSING),
            waiting=some(Status.PENDING),
            failed=some(Status.FAILED),
            done_recently=_lately(db, models),
            asked=jobs.waiting(db),
            forecast=forecast.read(db, box.settings, datetime.now(UTC), box.zone(db))[0],
        )  # fmt: skip
    return html(text)


def _lately(db: Connection, models: dict[str, ModelInfo]) -> list[dict[str, Any]]:
    """Return the items described last, the newest first."""
    changed, _ = items.changes_since(db, max(items.revision(db) - CHANGES, 0), CHANGES)
    done = [item for item in reversed(changed) if item.status is Status.COMPLETED and item.trashed_at is None]
    return items_json(db, done[:LATELY], models)
