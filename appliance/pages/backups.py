"""The backups of the database: listed, made now, downloaded, and gone back to."""

import asyncio
import time
from datetime import UTC
from pathlib import Path
from typing import Any

from litestar import Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from starlette.responses import FileResponse

from appliance.errors import LibraryError, NotFoundError, StorageError
from appliance.library import backups, opening, preferences
from appliance.pages.access import needs
from appliance.pages.box import Box
from appliance.pages.files import StoredFile
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope

PAGE = "/settings/backups"
SQLITE = "application/vnd.sqlite3"


@route(PAGE, http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def backups_page(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page."""
    return await asyncio.to_thread(_page, box, templates, made=request.query_params.get("made", ""))


@post(PAGE, opt=needs(Scope.ADMIN))
async def back_up_by_form(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[Any]:
    """Back the database up and answer the page."""
    try:
        made = await asyncio.to_thread(_make, box)
    except (LibraryError, StorageError) as error:
        return await asyncio.to_thread(_page, box, templates, trouble=error)
    return Redirect(f"{PAGE}?made={int(made is not None)}", status_code=303)


@get("/api/v1/backups", opt=needs(Scope.ADMIN))
async def backups_list(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer the backups, the newest first: `name`, when it was made, bytes."""
    return {"backups": await asyncio.to_thread(_told, box)}


@post("/api/v1/backups", status_code=201, opt=needs(Scope.ADMIN))
async def back_up(box: NamedDependency[Box]) -> dict[str, Any]:
    """Back the database up; answer the backups, and the name of the one `made`, null where nothing has changed."""
    made = await asyncio.to_thread(_make, box)
    return {"made": made and made.name, "backups": await asyncio.to_thread(_told, box)}


@route("/api/v1/backups/{name:str}", http_method=GET, opt=needs(Scope.ADMIN), sync_to_thread=True)  # type: ignore[arg-type]
def backup_file(name: FromPath[str], box: NamedDependency[Box]) -> StoredFile:
    """Answer a backup, to be kept elsewhere."""
    path = _find(box, name)
    headers = {"Cache-Control": "private, no-store"}
    return StoredFile(FileResponse(path, headers=headers, media_type=SQLITE, filename=path.name), box.language)


@post("/settings/backups/{name:str}/restore", status_code=200, opt=needs(Scope.ADMIN), sync_to_thread=True)
def restore_by_form(
    name: FromPath[str], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Go back to a backup, and answer a page that says what happens now."""
    try:
        opening.ask_to_restore(box.settings, _find(box, name))
    except LibraryError as error:
        return _page(box, templates, trouble=error)
    with box.library() as db:
        return html(templates.page("settings_ordered.html", box, db, "settings", order="restore"))


@post("/api/v1/backups/{name:str}/restore", status_code=202, opt=needs(Scope.ADMIN), sync_to_thread=True)
def restore(name: FromPath[str], box: NamedDependency[Box]) -> dict[str, str]:
    """Go back to a backup: Shoebox ends and starts again with it; the answer comes before that."""
    opening.ask_to_restore(box.settings, _find(box, name))
    return {"restoring": name}


def _make(box: Box) -> Path | None:
    with box.library() as db:
        kept = preferences.get(db, box.settings).backups_kept
        return backups.make(db, box.settings.data, now=time.time(), kept=kept)


def _find(box: Box, name: str) -> Path:
    for backup in backups.listed(box.settings.data):
        if backup.name == name:
            return backup
    raise NotFoundError("There is no backup of this name.", "Open the list of backups again.")


def _told(box: Box) -> list[dict[str, Any]]:
    return [
        {
            "name": backup.name,
            "made_at": f"{backups.made_at(backup).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "bytes": backup.stat().st_size,
            "url": f"/api/v1/backups/{backup.name}",
        }
        for backup in backups.listed(box.settings.data)
    ]


def _page(
    box: Box, templates: Templates, *, made: str = "", trouble: LibraryError | StorageError | None = None
) -> Response[str]:
    with box.library() as db:
        found = preferences.get(db, box.settings)
        text = templates.page(
            "settings_backups.html", box, db, "settings",
            backups=_told(box), made=made, trouble=trouble, folder=box.settings.data,
            at=found.backup_at, kept=found.backups_kept,
        )  # fmt: skip
    return html(text, 200 if trouble is None else 409)
