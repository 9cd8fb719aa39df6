"""The people of the box, links for sending files in, and access keys: the page and its form."""

import asyncio
from collections.abc import Callable
from typing import Any

import segno
from litestar import Request, Response, post, route
from litestar.di import NamedDependency
from litestar.response import Redirect

from appliance.errors import AccountError, NotFoundError
from appliance.library import access_keys, accounts, links
from appliance.library.database import Connection
from appliance.pages import people_orders as orders
from appliance.pages.access import asking, needs
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.errors import RequestError
from appliance.pages.head import GET
from appliance.pages.login import LARGEST_BODY, MOST_FIELDS
from appliance.pages.templates import Templates, html
from appliance.pages.welcome import home_address
from appliance.records import Role, Scope

PAGE = "/people"


@route(PAGE, http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def people_page(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page."""
    return await asyncio.to_thread(_page, box, templates, done=request.query_params.get("done", ""))


@post(PAGE, opt=needs(Scope.ADMIN), request_max_body_size=LARGEST_BODY)
async def people_form(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[Any]:
    """Do what the button that was pressed names, `ACTION` or `ACTION NUMBER`; a new link or key is shown once."""
    typed = form_fields(await whole(request), MOST_FIELDS)
    return await asyncio.to_thread(_act, box, templates, home_address(request), typed)


def _add(db: Connection, _: int, typed: dict[str, str]) -> None:
    accounts.create(db, typed.get("name", ""), orders.role_of(typed.get("role", "")), typed.get("password", ""))


def _password(db: Connection, number: int, typed: dict[str, str]) -> None:
    orders.change(db, number, password=typed.get(f"password-{number}", ""))


ACTIONS: dict[str, Callable[[Connection, int, dict[str, str]], None]] = {
    "add": _add,
    "owner": lambda db, number, typed: orders.change(db, number, role=Role.OWNER),
    "member": lambda db, number, typed: orders.change(db, number, role=Role.MEMBER),
    "password": _password,
    "disable": lambda db, number, typed: orders.change(db, number, disabled=True),
    "enable": lambda db, number, typed: orders.change(db, number, disabled=False),
    "remove": lambda db, number, typed: accounts.remove(db, number),
    "end-link": lambda db, number, typed: links.revoke(db, number),
    "end-key": lambda db, number, typed: access_keys.revoke(db, number),
}


def _act(box: Box, templates: Templates, home: str, typed: dict[str, str]) -> Response[Any]:
    action, _, text = typed.get("do", "").partition(" ")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    try:
        with box.library() as db:
            if action == "link":
                token = links.create(db, typed.get("link-name", ""), orders.days_of(typed.get("link-days", "")))
                address = f"{home}u/{token}"
                made = {
                    "kind": "link",
                    "name": typed.get("link-name", ""),
                    "text": address,
                    "picture": segno.make(address, error="m", micro=False).svg_data_uri(scale=6, light="#fff"),
                }
                return _page(box, templates, made=made)
            if action == "key":
                scopes = [scope for scope in Scope if f"scope-{scope}" in typed]
                days = orders.days_of(typed["key-days"]) if typed.get("key-days") else None
                key = orders.new_key(db, typed.get("key-name", ""), scopes, days)
                return _page(box, templates, made={"kind": "key", "name": typed.get("key-name", ""), "text": key})
            if action not in ACTIONS:
                raise RequestError("The form names nothing to do.", "Open the page again and send it from there.")
            ACTIONS[action](db, number, typed)
    except (AccountError, NotFoundError) as error:
        return _page(box, templates, trouble=error, typed=typed, tried=typed.get("do", ""))
    return Redirect(f"{PAGE}?done={action}", status_code=303)


def _page(
    box: Box,
    templates: Templates,
    *,
    done: str = "",
    made: dict[str, Any] | None = None,
    trouble: AccountError | NotFoundError | None = None,
    typed: dict[str, str] | None = None,
    tried: str = "",
) -> Response[str]:
    caller = asking().caller
    with box.library() as db:
        text = templates.page(
            "people.html", box, db, "settings",
            people=orders.people_json(db), links=orders.links_json(db), keys=orders.keys_json(db), scopes=list(Scope),
            me=caller.account_id if caller else None, done=done, made=made, trouble=trouble, typed=typed or {},
            tried=tried, shortest=accounts.SHORTEST_PASSWORD,
        )  # fmt: skip
    return html(text, 200 if trouble is None else 422)
