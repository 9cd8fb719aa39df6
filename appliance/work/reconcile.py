"""Brings bell and table together again: rings for what is due and unheard, gives up what stopped its worker each time.

Where nothing is waiting it writes nothing.
"""

import logging
from collections.abc import Callable

from huey.api import Huey

from appliance.library import claims
from appliance.library.database import Connection
from appliance.records import Job

_AT_MOST = 100  # rings at once; when they are used up the next look finds the rest

log = logging.getLogger(__name__)


def ring_due(db: Connection, queue: Huey, ring: Callable[[Job], None], *, now: float, describing: bool = True) -> int:
    """Ring for what may be claimed now, and return how often.

    Nothing is rung while the queue still holds rings: each has the worker take the most urgent job there is.
    Nor for descriptions where nobody is `describing`.
    """
    if queue.pending_count():
        return 0
    waiting = claims.due(db, now=now, limit=_AT_MOST, describing=describing)
    for job in waiting:
        ring(job)
    return len(waiting)


def give_up(db: Connection, *, now: float, attempts_allowed: int) -> int:
    """Fail the jobs whose lease ran out on their last attempt, and return how many."""
    given_up = claims.give_up_expired(db, now=now, attempts_allowed=attempts_allowed)
    for job in given_up:
        about = {"item": job.item_id, "job": job.id, "task": job.task, "attempt": job.attempts, "reason": job.reason}
        log.error("given up: its worker ended each time", extra=about)
    return len(given_up)
