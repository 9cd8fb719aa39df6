"""What is done for one claimed job: plain functions, each of which may be cut off at any moment and done again."""

import logging
import time
from collections.abc import Callable

from appliance.errors import DamagedLibraryError, LibraryError, MediaError, ShoeboxError, StorageFullError
from appliance.library import claims, descriptions, items, preferences
from appliance.library.database import Connection, explained, transaction
from appliance.library.store import Store
from appliance.records import Job, Task
from appliance.settings import Settings
from appliance.work.child import Alive, Child, Stopped

LEASE = 60.0  # seconds; renewed while the child works, so that a dead worker's jobs are free again soon

Clock = Callable[[], float]

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another worker has this job now; whatever comes of it here is dropped."""


def run_job(
    db: Connection,
    store: Store,
    child: Child,
    settings: Settings,
    job: Job,
    *,
    clock: Clock = time.time,
    alive: Alive = lambda: None,
) -> None:
    """Do the claimed `job` and record how it went: its result and its end in one transaction, or why it failed.

    `alive` is called every few seconds meanwhile. A stopping worker gives the job back, and the attempt does not count;
    nor does it where the disk is full, which is raised as StorageFullError: the next job would meet it too.
    """
    chosen = preferences.get(db, settings)
    keep = _lease_keeper(db, job, clock, alive)
    step = prepare if job.task is Task.PREPARE else describe
    try:
        with explained():
            step(db, store, child, chosen, job, clock=clock, alive=keep)
    except Stopped:
        claims.put_back(db, job, now=clock())
    except LeaseLostError:
        log.warning("job %d was taken over; its result is dropped", job.id)
    except StorageFullError:
        claims.put_back(db, job, now=clock())
        raise
    except DamagedLibraryError:
        raise  # nothing can be written down; the next start restores the library and takes the job up again
    except ShoeboxError as error:
        # A file that is damaged or unknown stays so; all else may be better next time.
        _fail(db, chosen, job, str(error), clock(), permanent=isinstance(error, MediaError))
    except Exception:  # the job's edge: one item's trouble must not be the next one's
        log.exception("job %d failed", job.id)
        sentence = "Shoebox made a mistake with this item. Try it again; the worker's log says more."
        _fail(db, chosen, job, sentence, clock(), permanent=False)


def prepare(
    db: Connection, store: Store, child: Child, settings: Settings, job: Job, *, clock: Clock, alive: Alive
) -> None:
    """Read the item's facts and make its thumbnails."""
    item = items.get(db, job.item_id)
    facts = child.prepare(
        store.original(item.path), item.kind, store.derived(item.sha256), settings=settings, alive=alive
    )
    with transaction(db):
        if not claims.finish(db, job, now=clock()):
            raise LeaseLostError
        items.set_facts(db, item.id, facts)


def describe(
    db: Connection, store: Store, child: Child, settings: Settings, job: Job, *, clock: Clock, alive: Alive
) -> None:
    """Describe and tag the item."""
    item = items.get(db, job.item_id)
    described = child.describe(
        store.original(item.path), item.kind, store.derived(item.sha256), settings=settings, alive=alive
    )
    with transaction(db):
        if not claims.finish(db, job, now=clock()):
            raise LeaseLostError
        descriptions.save(db, item.id, described)
    log.info("item %d: described by %s in %.2f s (job %d)", item.id, described.model, described.seconds, job.id)


def _fail(db: Connection, settings: Settings, job: Job, error: str, now: float, *, permanent: bool) -> None:
    state = claims.fail(
        db,
        job,
        error,
        now=now,
        attempts_allowed=settings.attempts,
        retry_delay=float(settings.retry_delay),
        permanent=permanent,
    )
    log.warning("item %d: %s (job %d, attempt %d, now %s)", job.item_id, error, job.id, job.attempts, state)


def _lease_keeper(db: Connection, job: Job, clock: Clock, alive: Alive) -> Alive:
    """Return what renews the lease of `job` once a quarter of it is gone; it raises LeaseLostError where it is lost."""
    renewed = clock()

    def keep() -> None:
        nonlocal renewed
        alive()
        now = clock()
        if now - renewed >= LEASE / 4:
            try:
                if not claims.renew(db, job, now=now, lease=LEASE):
                    raise LeaseLostError
            except StorageFullError:
                raise
            except LibraryError as error:  # busy, say; most of the lease is left, and the next beat tries again
                log.warning("the lease of job %d is not renewed yet: %s", job.id, error)
                return
            renewed = now

    return keep
