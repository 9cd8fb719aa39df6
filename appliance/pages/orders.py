"""Restarting Shoebox, and restarting and shutting down the box, from the settings page and the API."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.device import service
from appliance.errors import NotFoundError
from appliance.pages.access import needs
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.templates import Templates, html
from appliance.records import Scope

MOST = 4096  # bytes of the form
MOST_FIELDS = 10
BUTTONS = ("restart", "reboot", "shutdown")  # the orders that need no more than their name


@post("/settings/box/order", status_code=200, request_max_body_size=MOST, opt=needs(Scope.ADMIN))
async def order_by_form(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Give the order that the form names, and answer a page that says what happens now."""
    name = form_fields(await whole(request), MOST_FIELDS).get("order", "")
    _give(name)
    with box.library() as db:
        return html(templates.page("settings_ordered.html", box, db, "settings", order=name))


@post("/api/v1/box/{order:str}", status_code=202, opt=needs(Scope.ADMIN), sync_to_thread=True)
def order_by_api(order: FromPath[str]) -> dict[str, str]:
    """Do `restart` (Shoebox), `reboot` or `shutdown` (the box); the answer comes before it begins."""
    _give(order)
    return {"order": order}


def _give(name: str) -> None:
    if name not in BUTTONS or name not in service.orders():
        raise NotFoundError(
            "This box cannot be given that order here.", "Where you started Shoebox, stop it and start it again."
        )
    service.give(name)
