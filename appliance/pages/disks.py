"""The first visit's question where everything is kept: in the box itself, or on a disk on USB."""

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.response import Redirect

from appliance.device import disks, service
from appliance.device.disks import Disk
from appliance.errors import NotFoundError, ServiceError
from appliance.library import items
from appliance.pages.access import needs
from appliance.pages.body import form_fields, read_json, whole
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope

ORDER = "adopt-disk"
MOST = 4096  # bytes of the form
MOST_FIELDS = 10
_ADMIN = needs(Scope.ADMIN)


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """The disk to live on from now on, and whether what is on it may be erased."""

    disk: str
    erase: bool = False


@route("/welcome/disk", http_method=GET, opt=_ADMIN)  # type: ignore[arg-type]
async def disk(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[Any]:
    """Answer the step that asks where everything is kept; where there is no disk to choose, go on to the next."""
    return await asyncio.to_thread(_page, box, templates)


@post("/welcome/disk", opt=_ADMIN, request_max_body_size=MOST)
async def choose(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[Any]:
    """Move to the chosen disk, or stay, and answer what happens now."""
    typed = form_fields(await whole(request), MOST_FIELDS)
    return await asyncio.to_thread(_chosen, box, templates, typed)


@get("/api/v1/box/disks", opt=_ADMIN, sync_to_thread=True)
def listing(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer the disks that the library could move to; none once there are photos in it."""
    return {
        "disks": [
            {
                "name": one.name, "model": one.model, "bytes": one.bytes, "file_system": one.file_system,
                "label": one.label, "keeps_what_is_on_it": one.can_be_kept,
            }
            for one in offered(box)
        ]
    }  # fmt: skip


@post("/api/v1/box/disk", status_code=202, opt=_ADMIN, request_max_body_size=MOST)
async def move(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, str]:
    """Move to a disk; the answer comes before it begins."""
    choice = read_json(await whole(request), Choice)
    await asyncio.to_thread(_move, box, choice.disk, choice.erase)
    return {"disk": choice.disk}


def offered(box: Box) -> list[Disk]:
    """Return the disks that may be chosen: while the library is empty, where the box can be told to move."""
    if ORDER not in service.orders():
        return []
    with box.library() as db:
        if any(items.counts(db).values()) or items.count(db, trashed=True):
            return []
    return disks.disks()


def _page(box: Box, templates: Templates, wrong: str = "", code: int = 200) -> Response[Any]:
    found = offered(box)
    refused = wrong or service.refusal(ORDER)
    if not found and not refused:
        return Redirect("/welcome/phones", status_code=303)
    with box.library() as db:
        return html(templates.page("welcome_disk.html", box, db, "", disks=found, wrong=refused), code)


def _chosen(box: Box, templates: Templates, typed: dict[str, str]) -> Response[Any]:
    name = typed.get("disk", "")
    if not name:
        return Redirect("/welcome/phones", status_code=303)
    try:
        _move(box, name, bool(typed.get(f"erase-{name}")))
    except (NotFoundError, ServiceError) as error:
        return _page(box, templates, str(error), 422)
    with box.library() as db:
        return html(templates.page("settings_ordered.html", box, db, "", order=ORDER))


def _move(box: Box, name: str, erase: bool) -> None:
    chosen = next((one for one in offered(box) if one.name == name), None)
    if chosen is None:
        raise NotFoundError("This disk is not there any more, or is in use.", "Attach it and open the page again.")
    if not erase and not chosen.can_be_kept:
        raise ServiceError(
            "The box cannot live beside what is on this disk.",
            "Say that the disk may be erased, or choose another one.",
        )
    service.give(ORDER, f"{name} {'erase' if erase else 'keep'}\n")
