"""The page's sign of life to systemd: given only where the event loop goes round and the library has answered."""

import asyncio
import logging

from appliance.device.notify import notify
from appliance.library import items
from appliance.pages.box import Box

log = logging.getLogger(__name__)


async def pet(box: Box, every: float) -> None:
    """Tell systemd every so many seconds that all is well, for as long as the library answers; ends when cancelled."""
    answered = True
    while True:
        try:
            await asyncio.to_thread(_ask, box)
        except Exception as error:  # the edge of a task: a page that is well again must not go on in silence
            if answered:
                log.error("the library does not answer, and systemd is not told that all is well: %s", error)
            answered = False
        else:
            answered = True
            notify("WATCHDOG=1")
        await asyncio.sleep(every)


def _ask(box: Box) -> None:
    with box.library() as db:
        items.revision(db)
