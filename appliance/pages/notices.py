"""What the box says of itself on every page."""

import shutil

from litestar import delete
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.errors import NotFoundError
from appliance.library import notices
from appliance.library.database import Connection, instant
from appliance.pages.box import Box
from appliance.pages.words import size
from appliance.records import Level, Notice

FULL = 1 << 20  # bytes; less room than that takes in nothing
SCARCE = 500_000_000  # bytes; a film from a phone needs as much


def standing(db: Connection | None, box: Box) -> list[Notice]:
    """Return the notices to be shown, those of the disk among them, which on a full one nobody could write down."""
    return [*_room(box), *([] if db is None else notices.standing(db))]


def _room(box: Box) -> list[Notice]:
    try:
        free = shutil.disk_usage(box.settings.data).free
    except OSError:  # the folder is gone: the page that could not be made says so
        return []
    if free < FULL:
        text, level = "The card is full. New photos and videos cannot be kept until there is room.", Level.BAD
    elif free < SCARCE:
        text, level = f"The card is nearly full: {size(free)} are free.", Level.WARN
    else:
        return []
    return [Notice("room", level, text, "Make room, or move the library to a larger one.", False, instant())]


@delete("/api/v1/notices/{name:str}", status_code=204, sync_to_thread=True)
def dismiss(box: NamedDependency[Box], name: FromPath[str]) -> None:
    """Take down a notice that somebody has read; 404 where it is gone, or goes only when what it tells of is over."""
    with box.library() as db:
        if not notices.dismiss(db, name):
            raise NotFoundError("There is no such notice to take down.", "Load the page again.")
