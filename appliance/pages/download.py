"""Many originals at once: one zip, made while it is sent, so that nothing of it lies on the card or in memory."""

from collections.abc import Iterator
from typing import Any

from litestar import Request, get
from litestar.di import NamedDependency
from starlette.responses import StreamingResponse
from zipstream import ZIP_STORED, ZipStream

from appliance.errors import NotFoundError
from appliance.library import items, live
from appliance.library.names import numbered, safe_name
from appliance.pages.box import Box
from appliance.pages.errors import RequestError

MOST_AT_ONCE = 500


@get("/api/v1/items/download", sync_to_thread=True)
def download(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> StreamingResponse:
    """Answer the originals of the items in `ids` (with commas between them) as one zip, under their own names.

    A Live Photo's film goes with its photo.
    """
    zipped = ZipStream(compress_type=ZIP_STORED, sized=True)  # photos and videos do not get smaller
    taken = set[str]()
    with box.library() as db:
        numbers = _ids(request.query_params.get("ids", ""))
        films = live.films_of(db, numbers)
        for number in dict.fromkeys(one for photo in numbers for one in (photo, films.get(photo)) if one is not None):
            item = items.get(db, number)
            original = box.store.original(item.path)
            if not original.is_file():
                raise NotFoundError(
                    "The file of “{name}” is missing.", "Leave it out, or put it back from a backup.", name=item.name
                )
            zipped.add_path(str(original), _free(safe_name(item.name), taken))
    headers = {"Content-Length": str(len(zipped)), "Content-Disposition": 'attachment; filename="shoebox.zip"'}
    return StreamingResponse(iter(zipped), headers=headers, media_type="application/zip")


def _ids(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts) or len(parts) > MOST_AT_ONCE:
        raise RequestError(
            "ids is not a list of items.",
            "Use up to {most_at_once} numbers with commas between them.",
            most_at_once=MOST_AT_ONCE,
        )
    return list(dict.fromkeys(map(int, parts)))


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number where another in the zip is called so; letter case does not tell files apart."""
    for one in _names(name):
        if one.lower() not in taken:
            taken.add(one.lower())
            return one
    raise AssertionError("there are endless numbers")


def _names(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield numbered(name, number)
        number += 1
