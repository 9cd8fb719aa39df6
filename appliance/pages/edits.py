"""What people change of items: their words, tags, favourites and the trash, one by one or many at once."""

import asyncio
import time
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response
from msgspec import Meta

from appliance.library import dates, descriptions, items, jobs, trash
from appliance.library.database import Connection, transaction
from appliance.pages import moments
from appliance.pages.access import asking
from appliance.pages.body import read_json, whole
from appliance.pages.box import Box
from appliance.pages.errors import ChangedMeanwhileError, RequestError
from appliance.pages.etags import fits
from appliance.pages.serialise import etag, item_json
from appliance.records import Job, Priority
from appliance.sentences import say

LARGEST_BODY = 64 << 10
LONGEST_WORDS = 2000
LONGEST_TAG = 60
MOST_TAGS = 50
MOST_AT_ONCE = 500
_QUOTED = 200  # letters of what somebody else wrote
Tag = Annotated[str, Meta(min_length=1, max_length=LONGEST_TAG)]


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """What may be changed of an item; what is left out stays.

    A null description takes a person's newest one back; a null `taken_at` says that the date is not known.
    """

    description: Annotated[str, Meta(max_length=LONGEST_WORDS)] | msgspec.UnsetType | None = msgspec.UNSET
    tags: Annotated[list[Tag], Meta(max_length=MOST_TAGS)] | msgspec.UnsetType = msgspec.UNSET
    favourite: bool | msgspec.UnsetType = msgspec.UNSET
    taken_at: Annotated[str, Meta(max_length=40)] | msgspec.UnsetType | None = msgspec.UNSET


class Many(msgspec.Struct, forbid_unknown_fields=True):
    """One thing to do with many items; `tag` is for `tag` and `untag` alone."""

    ids: Annotated[list[Annotated[int, Meta(ge=1, le=2**63 - 1)]], Meta(min_length=1, max_length=MOST_AT_ONCE)]
    action: str
    tag: Tag = ""


# What takes an action back, for the items that it changed.
UNDOES = {
    "favourite": "unfavourite", "unfavourite": "favourite", "trash": "restore", "restore": "trash", "tag": "untag",
    "untag": "tag", "describe": "", "delete": "",
}  # fmt: skip


@patch("/{number:int}", request_max_body_size=LARGEST_BODY)
async def edit(
    number: FromPath[int], request: Request[Any, Any, Any], box: NamedDependency[Box]
) -> Response[dict[str, Any]]:
    """Change an item's description, tags, favourite or date: a person's words, which no model overwrites.

    With `If-Match` only where nobody has changed it since that ETag was read.
    """
    wanted = read_json(await whole(request), Edit)
    expected = request.headers.get("if-match")
    return await asyncio.to_thread(_edit, box, number, wanted, expected)


@delete("/{number:int}", status_code=200)
async def put_away(number: FromPath[int], request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Put an item in the trash, where it stays for 30 days."""
    return await asyncio.to_thread(_put_away, box, number, request.headers.get("if-match"))


@post("/bulk", status_code=200, request_max_body_size=LARGEST_BODY)
async def bulk(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Do one thing with many items: favourite, unfavourite, tag, untag, describe, trash, restore or delete.

    Answers which items it `changed`, and the action that `undo`es it ("" where nothing does). Delete removes for good,
    and only what is in the trash.
    """
    wanted = read_json(await whole(request), Many)
    if wanted.action not in UNDOES:
        raise RequestError(
            "{action} is nothing to do with items.",
            "Use one of {undoes}.",
            action=repr(wanted.action[:40]),
            undoes=", ".join(UNDOES),
        )
    if (wanted.action in {"tag", "untag"}) != bool(wanted.tag.strip()):
        raise RequestError("A tag belongs to tag and untag, and to nothing else.", "Send both, or neither.")
    return await asyncio.to_thread(_bulk, box, wanted)


@get("/api/v1/trash")
async def trash_size(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer how many items are in the trash, the bytes of their originals, and after how many days each is removed.

    The items themselves are those of `GET /api/v1/items?trashed=1`. A Live Photo's film is not counted; its bytes are.
    """
    return await asyncio.to_thread(_trash_size, box)


@delete("/api/v1/trash", status_code=200)
async def empty_trash(box: NamedDependency[Box]) -> dict[str, Any]:
    """Empty the trash: remove for good what is in it, originals too; answer how many were `removed`."""
    return {"removed": await asyncio.to_thread(empty_all, box)}


@post("/api/v1/trash/restore", status_code=200, sync_to_thread=True)
def restore_trash(box: NamedDependency[Box]) -> dict[str, Any]:
    """Take everything out of the trash; answer how many were `restored`."""
    return {"restored": restore_all(box)}


def empty_all(box: Box) -> int:
    """Empty the trash and return how many items were removed for good."""
    with box.library() as db:
        return len(trash.empty(db, box.store))


def restore_all(box: Box) -> int:
    """Take everything out of the trash and return how many items that were."""
    with box.library() as db:
        return trash.take_all_out(db)


def _trash_size(box: Box) -> dict[str, Any]:
    with box.library() as db:
        count, size = trash.size(db)
    return {"count": count, "bytes": size, "kept_days": trash.KEPT_DAYS}


def _edit(box: Box, number: int, wanted: Edit, expected: str | None) -> Response[dict[str, Any]]:
    with box.library() as db:
        with transaction(db):
            check_unchanged(db, number, expected)
            apply(db, number, wanted)
        item = items.get(db, number)
        return Response(item_json(db, item, box.known_models()), headers={"ETag": etag(item)})


def apply(db: Connection, number: int, wanted: Edit) -> None:
    """Make the changes to the item's rows."""
    if wanted.description is None:
        descriptions.withdraw(db, number)
    elif wanted.description is not msgspec.UNSET:
        words = " ".join(wanted.description.split())
        if not words:
            raise RequestError("There are no words in it.", "Write what is to be seen, or take your words back.")
        caller = asking().caller
        descriptions.write(db, number, words, author=caller.name if caller else None)
    if wanted.tags is not msgspec.UNSET:
        descriptions.choose_tags(db, number, [tag for one in wanted.tags if (tag := _tag(one))])
    if wanted.favourite is not msgspec.UNSET:
        trash.set_favourite(db, [number], wanted.favourite)
    if wanted.taken_at is not msgspec.UNSET:
        dates.change(db, number, None if wanted.taken_at is None else moments.read(wanted.taken_at))


def _put_away(box: Box, number: int, expected: str | None) -> dict[str, Any]:
    with box.library() as db:
        with transaction(db):
            check_unchanged(db, number, expected)
            trash.put_in(db, [number])
        return item_json(db, items.get(db, number), box.known_models())


def check_unchanged(db: Connection, number: int, expected: str | None) -> None:
    """Raise ChangedMeanwhileError, with what it says now, where none of the `expected` ETags is the item's any more."""
    item = items.get(db, number)
    if fits(expected, etag(item)):
        return
    shown = descriptions.current(db, number)
    next_step = say("Look at what is there now, and send yours once more if it is to stand.")
    if shown is None:
        raise ChangedMeanwhileError("Somebody changed this in the meantime.", next_step)
    words = shown.text[:_QUOTED] + ("…" if len(shown.text) > _QUOTED else "")
    if shown.author is None:
        raise ChangedMeanwhileError("This was changed in the meantime. It now says: “{words}”.", next_step, words=words)
    raise ChangedMeanwhileError(
        "This was changed in the meantime. {name} wrote: “{words}”.", next_step, name=shown.author, words=words
    )


def _bulk(box: Box, wanted: Many) -> dict[str, Any]:
    rung = list[Job]()
    with box.library() as db:
        if wanted.action in {"favourite", "unfavourite"}:
            changed = trash.set_favourite(db, wanted.ids, wanted.action == "favourite")
        elif wanted.action == "trash":
            changed = trash.put_in(db, wanted.ids)
        elif wanted.action == "restore":
            changed = trash.take_out(db, wanted.ids)
        elif wanted.action == "delete":
            changed = trash.empty(db, box.store, wanted.ids)
        elif wanted.action == "describe":
            there = items.known(db, wanted.ids)
            rung = [job for one in there for job in jobs.again(db, one, Priority.PERSON, now=time.time())]
            changed = sorted({job.item_id for job in rung})
        else:
            changed = _tag_many(db, wanted)
    box.ring(rung)
    return {"changed": changed, "undo": UNDOES[wanted.action]}


def _tag(text: str) -> str:
    if "," in text:
        raise RequestError("A tag has no comma in it.", "Give one tag at a time.")
    return " ".join(text.split())


def _tag_many(db: Connection, wanted: Many) -> list[int]:
    tag, changed = _tag(wanted.tag), list[int]()
    with transaction(db):
        for number in items.known(db, wanted.ids):
            has = [one.text for one in descriptions.tags(db, number)]
            others = [text for text in has if text.lower() != tag.lower()]
            if wanted.action == "tag" and len(others) >= MOST_TAGS:
                name = items.get(db, number).name
                raise RequestError("“{name}” has {most} tags already.", "Take one off.", name=name, most=MOST_TAGS)
            if (len(others) == len(has)) == (wanted.action == "tag"):
                descriptions.choose_tags(db, number, [*others, tag] if wanted.action == "tag" else others)
                changed.append(number)
    return changed


# Part of the items' router: a second one with the same address Litestar would not take.
HANDLERS = (edit, put_away, bulk)
