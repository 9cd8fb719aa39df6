"""Takes files into the library that lie among the originals without a row: a power cut came between file and row."""

import logging
import time
from collections.abc import Callable

from appliance.errors import UnsupportedMediaError
from appliance.library import preferences, recovery, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.media.formats import HEAD_BYTES, sniff
from appliance.settings import Settings

YOUNG = 3600.0  # seconds; a younger file may be an upload whose row is about to be written

log = logging.getLogger(__name__)


def adopt_orphans(
    db: Connection,
    store: Store,
    settings: Settings,
    *,
    older_than_seconds: float = YOUNG,
    goes_on: Callable[[], bool] = lambda: True,
) -> int:
    """Adopt what can be described, and return how many files that were; others stay where they are, and are logged.

    Reads every byte of them. Ends early, between two files, where `goes_on` says no.
    """
    describe = preferences.get(db, settings).auto_process_on_upload
    adopted = 0
    for path in uploads.orphans(db, store, older_than_seconds=older_than_seconds):
        if not goes_on():
            break
        try:
            with store.original(path).open("rb") as file:
                found = sniff(file.read(HEAD_BYTES))
            item, known, _ = uploads.adopt(db, store, path, found, describe=describe, now=time.time())
        except (UnsupportedMediaError, OSError) as error:
            reason = error.reason if isinstance(error, UnsupportedMediaError) else error.strerror
            log.warning(
                "an original that no item knows is left alone; `shoebox doctor` names it", extra={"reason": reason}
            )
            continue
        if not known:
            adopted += 1
            log.warning("lay among the originals without being listed, and is listed now", extra={"item": item.id})
    return adopted


def take_in_forgotten(db: Connection, store: Store, settings: Settings, goes_on: Callable[[], bool]) -> None:
    """Adopt what lies unlisted; after the database was restored also what is young, but was there before that."""
    restored = recovery.pending(db)
    if restored is None:
        adopt_orphans(db, store, settings, goes_on=goes_on)
        return
    age = max(0.0, time.time() - restored.before)
    found = adopt_orphans(db, store, settings, older_than_seconds=age, goes_on=goes_on)
    if goes_on():
        recovery.finish(db, found)
        log.warning("after the restoring of the database %d files were found that it did not list", found)
