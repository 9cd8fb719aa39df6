"""The page's plain forms: what `edits.py` does for programs and scripts, for a browser without any."""

import asyncio
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from appliance.library import dates, descriptions, items, trash
from appliance.library.database import transaction
from appliance.pages import edits
from appliance.pages import item as item_page
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.errors import ChangedMeanwhileError, RequestError
from appliance.pages.filters import Filters
from appliance.pages.head import GET
from appliance.pages.serialise import items_json
from appliance.pages.templates import Templates, html
from appliance.records import Description

LARGEST_BODY = 64 << 10
MOST_FIELDS = 20
SHOWN = 100
_OVERWRITES = {"save", "withdraw", "date", "no-date", "file-date"}  # what somebody else may have written


@post("/items/{number:int}/edit", request_max_body_size=LARGEST_BODY)
async def edit(
    number: FromPath[int],
    request: Request[Any, Any, Any],
    box: NamedDependency[Box],
    templates: NamedDependency[Templates],
) -> Response[Any]:
    """Do with an item what its page's form says, and show it again.

    Where somebody changed it since that page was shown, it is shown as it is now, with what was typed still in it.
    """
    answers = form_fields(await whole(request), MOST_FIELDS)
    try:
        await asyncio.to_thread(_edit, box, number, answers)
    except ChangedMeanwhileError as error:
        return await asyncio.to_thread(item_page.shown, box, templates, number, error, answers)
    return Redirect(_trash_at(answers) if answers.get("back") == "trash" else f"/items/{number}", status_code=303)


@route("/trash", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def trash_page(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer a page of what is in the trash."""
    cursor = Filters.read(request.query_params).cursor
    with box.library() as db:
        page = items.page(db, trashed=True, limit=SHOWN, cursor=cursor)
        count, size = trash.size(db)
        text = templates.page(
            "trash.html", box, db, "library",
            items=items_json(db, page.items, box.known_models()), count=count, size=size, days=trash.KEPT_DAYS,
            cursor=cursor, more=page.cursor,
        )  # fmt: skip
    return html(text)


@post("/trash/restore", request_max_body_size=LARGEST_BODY)
async def restore_all(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Redirect:
    """Take everything out of the trash and show that it is empty."""
    await whole(request)
    await asyncio.to_thread(edits.restore_all, box)
    return Redirect("/trash", status_code=303)


@post("/trash/empty", request_max_body_size=LARGEST_BODY)
async def empty(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Redirect:
    """Empty the trash and show that it is."""
    await whole(request)
    await asyncio.to_thread(edits.empty_all, box)
    return Redirect("/trash", status_code=303)


def _trash_at(answers: dict[str, str]) -> str:
    cursor = answers.get("cursor", "")
    return f"/trash?cursor={quote(cursor)}" if cursor else "/trash"


def _edit(box: Box, number: int, answers: dict[str, str]) -> None:
    do = answers.get("do", "")
    with box.library() as db, transaction(db):
        item = items.get(db, number)
        if do in _OVERWRITES:
            edits.check_unchanged(db, number, answers.get("etag"))
        if do == "save":
            edits.apply(db, number, _words(answers, descriptions.current(db, number)))
        elif do == "withdraw":
            edits.apply(db, number, edits.Edit(description=None))
        elif do == "date":
            at = f"{answers.get('date', '')}T{time}" if (time := answers.get("time", "")) else answers.get("date", "")
            edits.apply(db, number, edits.Edit(taken_at=at))
        elif do == "no-date":
            edits.apply(db, number, edits.Edit(taken_at=None))
        elif do == "file-date":
            dates.take_back(db, number)
        elif do in {"favourite", "unfavourite"}:
            trash.set_favourite(db, [item.id], do == "favourite")
        elif do == "trash":
            trash.put_in(db, [item.id])
        elif do == "restore":
            trash.take_out(db, [item.id])
        else:
            raise RequestError("The form does not say what to do.", "Open the page again and send it from there.")


def _words(answers: dict[str, str], shown: Description | None) -> edits.Edit:
    """Return the words and tags of a form; to clear what is shown is refused where it is applied.

    Words that nobody changed stay whose they are: saved with another tag, the model's do not become a person's.
    """
    tags = [tag for one in answers.get("tags", "").split(",") if (tag := " ".join(one.split()))]
    words = " ".join(answers.get("description", "").split())
    if (
        len(words) > edits.LONGEST_WORDS
        or len(tags) > edits.MOST_TAGS
        or any(len(tag) > edits.LONGEST_TAG for tag in tags)
    ):
        raise RequestError(
            "These are too many words.", "Use at most {longest_words} letters.", longest_words=edits.LONGEST_WORDS
        )
    unchanged = words == " ".join(shown.text.split() if shown else ()) or "description" not in answers
    return edits.Edit(tags=tags) if unchanged else edits.Edit(description=words, tags=tags)
