"""Taking received files into the library: each once, told by its bytes, and with its work asked for."""

import hashlib
import time
from datetime import UTC, datetime

from appliance.errors import LibraryError, StorageFullError
from appliance.library import items, jobs, search, trial
from appliance.library.database import Connection, instant, transaction
from appliance.library.names import safe_name
from appliance.library.store import Incoming, Store
from appliance.records import Format, Item, Job, Priority, Task


def accept(
    db: Connection,
    store: Store,
    incoming: Incoming,
    name: str,
    format: Format,
    *,
    describe: bool,
    now: float | None = None,
) -> tuple[Item, bool, list[Job]]:
    """Keep a received file and return its item, whether it was in the library already, and the jobs to ring for.

    Of a file whose bytes are known nothing is stored and the first item is returned, taken out of the trash where it
    was there. What is returned is on the disk. Raises StorageFullError where there is no room; nothing is left then.
    """
    now = time.time() if now is None else now
    incoming.close()
    known = items.find_by_sha256(db, incoming.sha256)
    if known is None:
        day = datetime.fromtimestamp(now, UTC).date()
        path = store.keep(incoming, name, day, taken=lambda path: _has_path(db, path))
        try:
            jobs_to_ring = _add(db, incoming.sha256, path, name, incoming.bytes, format, describe=describe, now=now)
        except StorageFullError:
            store.remove(path)
            raise  # any other error leaves the file to `orphans`: its row may be on the disk all the same
        if jobs_to_ring is not None:
            return _known(db, incoming.sha256), False, jobs_to_ring
        known = _known(db, incoming.sha256)
        if known.path == path:  # it was adopted, as a file without a row, before this could write the row
            return known, False, jobs.open_for(db, known.id)
        store.remove(path)  # the same bytes came in at the same time and were first
    elif not _is_whole(store, known):
        store.put_back(incoming, known.path)  # the sender may delete his copy once he hears that it is here
    incoming.discard()
    return _untrashed(db, known), True, []


def orphans(db: Connection, store: Store, *, older_than_seconds: float) -> list[str]:
    """Return the originals that no item knows, left by a crash between the file and its row; give them to `adopt`.

    Empty ones, left by a crash before the file was moved to its name, are removed, and scenes of `shoebox try` whose
    row an upgrade took back. Younger files may be on their way in and are left alone.
    """
    found = []
    for path in unlisted(db, store, older_than_seconds=older_than_seconds):
        if store.original(path).stat().st_size == 0 or trial.is_scene(store.original(path)):
            store.remove(path)
        else:
            found.append(path)
    return found


def unlisted(db: Connection, store: Store, *, older_than_seconds: float) -> list[str]:
    """Return the originals that no item knows, empty ones too, without changing anything.

    Younger ones are left out, unless the page that took them in is gone.
    """
    before = max(time.time() - older_than_seconds, store.served_since())
    found = []
    for path in store.originals():
        if _has_path(db, path):
            continue
        try:
            if store.original(path).stat().st_ctime < before:
                found.append(path)
        except FileNotFoundError:  # removed in this moment
            continue
    return sorted(found)


def adopt(
    db: Connection, store: Store, path: str, format: Format, *, describe: bool, now: float | None = None
) -> tuple[Item, bool, list[Job]]:
    """Take an orphan into the library where it lies, as `accept` does; a second copy of a known file is removed."""
    now = time.time() if now is None else now
    original = store.original(path)
    with original.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    jobs_to_ring = _add(db, sha256, path, original.name, original.stat().st_size, format, describe=describe, now=now)
    known = _known(db, sha256)
    if jobs_to_ring is not None:
        return known, False, jobs_to_ring
    if known.path != path and _is_whole(store, known):
        store.remove(path)
    return known, True, []


def _add(
    db: Connection, sha256: str, path: str, name: str, size: int, format: Format, *, describe: bool, now: float
) -> list[Job] | None:
    with transaction(db):
        row = db.execute(
            "INSERT INTO items (kind, sha256, path, name, bytes, mime, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (sha256) DO NOTHING RETURNING id",
            (format.kind, sha256, path, safe_name(name), size, format.mime, instant(now)),
        ).fetchone()
        if row is None:
            return None
        search.index(db, row["id"])
        asked = [jobs.enqueue(db, row["id"], Task.PREPARE, Priority.PREPARE, now=now)]
        if describe:
            asked.append(jobs.enqueue(db, row["id"], Task.DESCRIBE, Priority.UPLOAD, now=now))
    return asked


def _known(db: Connection, sha256: str) -> Item:
    item = items.find_by_sha256(db, sha256)
    if item is None:
        raise LibraryError("This file was removed while it was sent.", "Send it again.")
    return item


def _has_path(db: Connection, path: str) -> bool:
    return db.execute("SELECT 1 FROM items WHERE path = ?", (path,)).fetchone() is not None


def _is_whole(store: Store, item: Item) -> bool:
    original = store.original(item.path)
    return original.is_file() and original.stat().st_size == item.bytes


def _untrashed(db: Connection, item: Item) -> Item:
    if item.trashed_at is None:
        return item
    with transaction(db):
        db.execute("UPDATE items SET trashed_at = NULL WHERE id = ?", (item.id,))
    return items.get(db, item.id)
