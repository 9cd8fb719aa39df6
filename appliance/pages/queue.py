"""The API's queue: pause and resume describing, try again all that failed."""

import time
from typing import Any

from litestar import Router, post
from litestar.di import NamedDependency

from appliance.library import jobs, pause
from appliance.pages.box import Box
from appliance.pages.serialise import status_json


@post("/pause", status_code=200, sync_to_thread=True)
def pause_describing(box: NamedDependency[Box]) -> dict[str, Any]:
    """Describe nothing more until told to go on; what is being described is finished. Answer the status."""
    with box.library() as db:
        pause.pause(db)
        return status_json(db, box)


@post("/resume", status_code=200, sync_to_thread=True)
def resume_describing(box: NamedDependency[Box]) -> dict[str, Any]:
    """Go on describing, which the worker does within a second. Answer the status."""
    with box.library() as db:
        pause.resume(db)
        return status_json(db, box)


@post("/retry-failed", status_code=202, sync_to_thread=True)
def retry_failed(box: NamedDependency[Box]) -> dict[str, Any]:
    """Try every item again that failed; answer the status and how many are `retried`."""
    with box.library() as db:
        retried = jobs.retry_failed(db, now=time.time())
        return status_json(db, box) | {"retried": retried}


router = Router("/api/v1/queue", route_handlers=[pause_describing, resume_describing, retry_failed])
