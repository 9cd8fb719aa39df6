"""What the box's processes noted in the last hour: a page, and as text."""

import time
from typing import Any

from litestar import MediaType, Request, Response, get, route
from litestar.di import NamedDependency

from appliance import logs
from appliance.pages.access import needs
from appliance.pages.box import Box
from appliance.pages.errors import RequestError
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope

SECONDS = 3600.0
SHOWN = 500
LEVELS = ("info", "warning", "error")
_SEVERITY = (*LEVELS, "critical")


@route("/settings/logs", http_method=GET, opt=needs(Scope.ADMIN), sync_to_thread=True)  # type: ignore[arg-type]
def logs_page(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page, the newest first."""
    level = _level(request)
    found = _found(box, level)
    with box.library() as db:
        text = templates.page(
            "settings_logs.html", box, db, "settings",
            records=found[-SHOWN:][::-1], total=len(found), level=level, levels=LEVELS,
        )  # fmt: skip
    return html(text)


@get("/api/v1/logs", opt=needs(Scope.ADMIN), media_type=MediaType.TEXT, sync_to_thread=True)
def logs_text(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response[str]:
    """Answer the last hour as text, the oldest first, a line each; `level` leaves out what is less."""
    lines = [
        " ".join(str(record.get(name, "")) for name in ("time", "level", "process", "logger", "message"))
        for record in _found(box, _level(request))
    ]
    name = {"Content-Disposition": 'attachment; filename="shoebox-notes.txt"'}
    return Response("\n".join([*lines, ""]), media_type=MediaType.TEXT, headers=name)


def _level(request: Request[Any, Any, Any]) -> str:
    level = str(request.query_params.get("level", "info"))
    if level not in LEVELS:
        raise RequestError(
            "There is no level {level}.", "Use one of {levels}.", level=repr(level[:20]), levels=", ".join(LEVELS)
        )
    return level


def _found(box: Box, level: str) -> list[dict[str, Any]]:
    found = logs.kept(logs.ring_folder(box.settings.data), time.time() - SECONDS)
    shown = _SEVERITY[_SEVERITY.index(level) :]
    return [record for record in found if record.get("level") in shown]
