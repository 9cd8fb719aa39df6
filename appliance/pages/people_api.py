"""People, links and access keys as JSON."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.library import access_keys, accounts, links
from appliance.library.database import Connection
from appliance.pages import people_orders as orders
from appliance.pages.access import needs
from appliance.pages.body import read_json, whole
from appliance.pages.box import Box
from appliance.pages.login import LARGEST_BODY
from appliance.pages.welcome import home_address
from appliance.records import Role, Scope

Answer = dict[str, Any]


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who shall be able to sign in."""

    name: str
    password: str
    role: Role = Role.MEMBER


class PersonChange(msgspec.Struct, forbid_unknown_fields=True):
    """What may be changed of a person; what is left out stays."""

    role: Role | None = None
    password: str | None = None
    disabled: bool | None = None


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """A link for sending files in: whom it is for, and for how many days it works."""

    name: str
    days: int = 7


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """An access key: what it is for, what it may do, and for how many days; without them it has no end."""

    name: str
    scopes: list[Scope]
    days: int | None = None


_ADMIN = needs(Scope.ADMIN)


@get("/api/v1/people", opt=_ADMIN)
async def people(box: NamedDependency[Box]) -> Answer:
    """Answer everybody who has an account."""
    return await _done(box, lambda db: {"people": orders.people_json(db)})


@post("/api/v1/people", opt=_ADMIN, request_max_body_size=LARGEST_BODY)
async def person_add(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Answer:
    """Add a person."""
    new = read_json(await whole(request), NewPerson)
    return await _done(box, lambda db: orders.person_json(db, accounts.create(db, new.name, new.role, new.password)))


@patch("/api/v1/people/{number:int}", opt=_ADMIN, request_max_body_size=LARGEST_BODY)
async def person_change(number: FromPath[int], request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Answer:
    """Change a person's role or password, or keep them out; their sessions end with the latter two."""
    wanted = read_json(await whole(request), PersonChange)

    def do(db: Connection) -> Answer:
        orders.change(db, number, role=wanted.role, password=wanted.password, disabled=wanted.disabled)
        return orders.person_json(db, accounts.get(db, number))

    return await _done(box, do)


@delete("/api/v1/people/{number:int}", status_code=200, opt=_ADMIN)
async def person_remove(number: FromPath[int], box: NamedDependency[Box]) -> Answer:
    """Remove a person's account; what they wrote stays. Answer everybody who is left."""

    def do(db: Connection) -> Answer:
        accounts.remove(db, number)
        return {"people": orders.people_json(db)}

    return await _done(box, do)


@get("/api/v1/links", opt=_ADMIN)
async def links_list(box: NamedDependency[Box]) -> Answer:
    """Answer the links for sending files in that work."""
    return await _done(box, lambda db: {"links": orders.links_json(db)})


@post("/api/v1/links", opt=_ADMIN, request_max_body_size=LARGEST_BODY)
async def link_make(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Answer:
    """Make a link for sending files in; its `address` is told this once."""
    new = read_json(await whole(request), NewLink)
    home = home_address(request)
    return await _done(
        box,
        lambda db: {"address": f"{home}u/{links.create(db, new.name, new.days)}", "links": orders.links_json(db)},
    )


@delete("/api/v1/links/{number:int}", status_code=200, opt=_ADMIN)
async def link_end(number: FromPath[int], box: NamedDependency[Box]) -> Answer:
    """End a link; answer those that are left."""

    def do(db: Connection) -> Answer:
        links.revoke(db, number)
        return {"links": orders.links_json(db)}

    return await _done(box, do)


@get("/api/v1/keys", opt=_ADMIN)
async def keys_list(box: NamedDependency[Box]) -> Answer:
    """Answer the access keys."""
    return await _done(box, lambda db: {"keys": orders.keys_json(db)})


@post("/api/v1/keys", opt=_ADMIN, request_max_body_size=LARGEST_BODY)
async def key_make(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Answer:
    """Make an access key; the `key` is told this once."""
    new = read_json(await whole(request), NewKey)
    return await _done(
        box,
        lambda db: {"key": orders.new_key(db, new.name, new.scopes, new.days), "keys": orders.keys_json(db)},
    )


@delete("/api/v1/keys/{number:int}", status_code=200, opt=_ADMIN)
async def key_end(number: FromPath[int], box: NamedDependency[Box]) -> Answer:
    """Let an access key open nothing any more; answer those that are left."""

    def do(db: Connection) -> Answer:
        access_keys.revoke(db, number)
        return {"keys": orders.keys_json(db)}

    return await _done(box, do)


async def _done(box: Box, do: Callable[[Connection], Answer]) -> Answer:
    def in_library() -> Answer:
        with box.library() as db:
            return do(db)

    return await asyncio.to_thread(in_library)


HANDLERS = (
    people, person_add, person_change, person_remove, links_list, link_make, link_end, keys_list, key_make, key_end,
)  # fmt: skip
