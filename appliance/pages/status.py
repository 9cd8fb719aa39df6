"""The API's status: counts, queue, pace, model, version."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency

from appliance.pages.box import Box
from appliance.pages.serialise import status_json


@get("/api/v1/status", sync_to_thread=True)
def status(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer how the library and its queue stand."""
    with box.library() as db:
        return status_json(db, box)
