"""What is done for one claimed job: plain functions, each of which may be cut off at any moment and done again."""

import logging
import time
from collections.abc import Callable

from appliance import logs
from appliance.errors import (
    ChildDiedError,
    DamagedLibraryError,
    DeadlineError,
    LibraryError,
    MediaError,
    SettingsError,
    ShoeboxError,
    StorageError,
    StorageFullError,
    TooLittleMemoryError,
)
from appliance.library import claims, counters, database, descriptions, items, preferences
from appliance.library.database import Connection, transaction
from appliance.library.store import Store
from appliance.records import Job, JobState, Task
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work.child import Alive, Child, Stopped
from appliance.work.stepping import SteppedDown, Stepping

MISTAKE = "mistake"  # the reason of a failure that nobody foresaw
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

    `alive` is called every few seconds meanwhile. A stopping worker gives the job back, and the attempt does not count.
    Where a setting is to blame, SettingsError is raised and the job given back. Where the disk is to blame, it is
    StorageError and the job still claimed: it is to be put back, and as long as that is not possible either, no other
    job need be tried.
    """
    with logs.about(item=job.item_id, job=job.id, task=job.task, attempt=job.attempts):
        chosen = preferences.get(db, settings)
        keep = _lease_keeper(db, job, clock, alive)
        step = prepare if job.task is Task.PREPARE else describe
        try:
            with database.explained():
                step(db, store, child, chosen, job, clock=clock, alive=keep)
        except (Stopped, SteppedDown):
            claims.put_back(db, job, now=clock())
        except SettingsError:  # what is chosen for describing cannot be had: no photo is to blame
            claims.put_back(db, job, now=clock())
            raise
        except LeaseLostError:
            log.warning("another worker has taken this over; the result is dropped")
        except (StorageError, DamagedLibraryError):
            raise  # nothing can be written down
        except ShoeboxError as error:
            store.check()  # what is missing or cannot be read on a disk that is gone says nothing of the file
            # A file that is damaged or unknown stays so; all else may be better next time.
            permanent = isinstance(error, MediaError)
            with transaction(db):
                if isinstance(
                    error, DeadlineError | ChildDiedError | TooLittleMemoryError
                ):  # the next job starts another child
                    counters.add(db, counters.CHILD_RESTARTS + error.reason)
                _fail(db, chosen, job, str(error), error.reason, clock(), permanent=permanent)
        except Exception:  # the job's edge: one item's trouble must not be the next one's
            store.check()
            log.exception("Shoebox made a mistake")
            sentence = say("Shoebox made a mistake with this item. Try it again; the worker's log says more.")
            _fail(db, chosen, job, sentence, MISTAKE, clock(), permanent=False)


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
    stepping = Stepping(db, settings, child.board)
    try:
        described = child.describe(
            store.original(item.path),
            item.kind,
            store.derived(item.sha256),
            settings=settings,
            fit=stepping.fit,
            alive=alive,
        )
    except TooLittleMemoryError as error:
        raise stepping.ran_out(item.id, error) from None
    with transaction(db):
        if not claims.finish(db, job, now=clock()):
            raise LeaseLostError
        descriptions.save(db, item.id, described)
        stepping.described(item.id)
    log.info("described", extra={"model": described.model, "kind": item.kind, "seconds": described.seconds})


def _fail(
    db: Connection, settings: Settings, job: Job, error: str, reason: str, now: float, *, permanent: bool
) -> None:
    state = claims.fail(
        db,
        job,
        error,
        now=now,
        attempts_allowed=settings.attempts,
        retry_delay=float(settings.retry_delay),
        permanent=permanent,
        reason=reason,
    )
    # Without the sentence, which may name the file; the item's page has it.
    log.warning("failed%s", "" if state is JobState.FAILED else ", and is tried again", extra={"reason": reason})


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
                log.warning("the lease is not renewed yet: %s", error)
                return
            renewed = now

    return keep
