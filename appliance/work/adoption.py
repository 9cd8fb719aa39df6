"""Takes files into the library that lie among the originals without a row: a power cut came between file and row."""

import logging
import time

from appliance.errors import UnsupportedMediaError
from appliance.library import preferences, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.media.formats import HEAD_BYTES, sniff
from appliance.settings import Settings

YOUNG = 3600.0  # seconds; a younger file may be an upload whose row is about to be written

log = logging.getLogger(__name__)


def adopt_orphans(db: Connection, store: Store, settings: Settings, *, older_than_seconds: float = YOUNG) -> int:
    """Adopt what can be described, and return how many files that were; others stay where they are, and are logged."""
    describe = preferences.get(db, settings).auto_process_on_upload
    adopted = 0
    for path in uploads.orphans(db, store, older_than_seconds=older_than_seconds):
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
