"""What the box says of itself on every page."""

import shutil

from litestar import delete
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.device import giving_up
from appliance.errors import NotFoundError, StorageError, StorageFullError
from appliance.library import notices
from appliance.library.database import Connection, instant
from appliance.pages.box import Box
from appliance.pages.words import size
from appliance.records import Level, Notice
from appliance.sentences import say
from appliance.work.lock import worker_runs

LARGER = say("Make room, or move the library to a larger one.")
WORKER = "worker"  # the notice beside which the page has a button to start it again
SCARCE = 500_000_000  # bytes; a film from a phone needs as much


def standing(db: Connection | None, box: Box) -> list[Notice]:
    """Return the notices to be shown, those of the disk among them, which on a full one nobody could write down."""
    return [*_given_up(box), *_room(box), *([] if db is None else notices.standing(db))]


def _given_up(box: Box) -> list[Notice]:
    """Tell of describing that systemd gave up on, for as long as that is so: it is stored nowhere."""
    if not giving_up.is_given_up("worker") or worker_runs(box.settings.data):
        return []
    text = say("Describing does not start: it was tried three times. {reason}", reason=giving_up.reason("worker"))
    step = say("Photos and videos can be sent as always; they wait.")
    return [Notice(WORKER, Level.BAD, text, step, False, instant())]


def _room(box: Box) -> list[Notice]:
    try:
        box.store.check()
        free = shutil.disk_usage(box.settings.data).free
    except StorageFullError:
        text = say("The card is full. New photos and videos cannot be kept until there is room.")
        return [Notice("room", Level.BAD, text, LARGER, False, instant())]
    except StorageError as error:
        text = say("{error} New photos and videos cannot be kept until then.", error=error.message)
        return [Notice("disk", Level.BAD, text, error.next_step, False, instant())]
    except OSError:  # gone in this moment
        return []
    if free >= SCARCE:
        return []
    text = say("The card is nearly full: {size} are free.", size=size(free))
    return [Notice("room", Level.WARN, text, LARGER, False, instant())]


@delete("/api/v1/notices/{name:str}", status_code=204, sync_to_thread=True)
def dismiss(box: NamedDependency[Box], name: FromPath[str]) -> None:
    """Take down a notice that somebody has read; 404 where it is gone, or goes only when what it tells of is over."""
    with box.library() as db:
        if not notices.dismiss(db, name):
            raise NotFoundError("There is no such notice to take down.", "Load the page again.")
