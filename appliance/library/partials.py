"""Uploads that may come in several pieces: what each is to become, and what has come of it so far.

How much has come is the size of its file, and since when nothing came that file's age: the database is written only
when an upload begins and when it ends.
"""

import re
import time
import uuid
from dataclasses import dataclass

from appliance.errors import BusyFileError, NotFoundError
from appliance.library import items, uploads
from appliance.library.database import Connection, transaction
from appliance.library.incoming import Resumed, no_such_upload
from appliance.library.store import Store
from appliance.records import Format, Job

LIFE = 7 * 86400.0  # seconds that an upload waits for its next piece, and that is remembered what became of it
_YOUNG = 3600.0  # seconds; a younger file without a row is one that just begins
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Partial:
    """An upload under way, or one that became an item; `length` in bytes, times in Unix seconds."""

    id: str
    name: str
    length: int
    created_at: float
    sha256: str | None = None
    item_id: int | None = None
    duplicate: bool = False
    finished_at: float | None = None


def create(db: Connection, store: Store, name: str, length: int, *, now: float | None = None) -> Partial:
    """Begin an upload of `length` bytes; what is returned is on the disk."""
    begun = Partial(uuid.uuid4().hex, name, length, time.time() if now is None else now)
    store.begin_partial(begun.id)
    with transaction(db):
        db.execute(
            "INSERT INTO partials (id, name, length, created_at) VALUES (?, ?, ?, ?)",
            (begun.id, name, length, begun.created_at),
        )
    return begun


def get(db: Connection, store: Store, number: str) -> Partial:
    """Return the upload; raise NotFoundError where there is none, or its file is lost."""
    row = None
    if _ID.fullmatch(number):
        # An item in the trash comes out of it when its file is sent again, so that is asked for.
        row = db.execute(
            "SELECT * FROM partials WHERE id = ? AND NOT EXISTS"
            " (SELECT 1 FROM items WHERE items.id = item_id AND trashed_at IS NOT NULL)",
            (number,),
        ).fetchone()
    if row is None:
        raise no_such_upload()
    found = Partial(**{**dict(row), "duplicate": bool(row["duplicate"])})
    if found.item_id is None and not store.partial(number).exists():
        return _after_a_crash(db, found)
    return found


def received(store: Store, partial: Partial) -> int:
    """Return how many bytes have come."""
    if partial.item_id is not None:
        return partial.length
    try:
        return store.partial(partial.id).stat().st_size
    except FileNotFoundError:  # finished or removed in this moment
        return partial.length


def expires(store: Store, partial: Partial) -> float:
    """Return the Unix time at which the upload is forgotten if nothing more comes."""
    try:
        return store.partial(partial.id).stat().st_mtime + LIFE
    except FileNotFoundError:
        return (partial.finished_at or partial.created_at) + LIFE


def finish(
    db: Connection,
    store: Store,
    partial: Partial,
    whole: Resumed,
    name: str,
    format: Format,
    *,
    describe: bool,
    now: float | None = None,
) -> tuple[Partial, list[Job]]:
    """Take the whole file into the library; return what became of the upload, and the jobs to ring for.

    Where this is cut off, `get` finds out what became of it.
    """
    now = time.time() if now is None else now
    with transaction(db):
        db.execute("UPDATE partials SET sha256 = ? WHERE id = ?", (whole.sha256, partial.id))
    item, duplicate, jobs = uploads.accept(db, store, whole, name, format, describe=describe, now=now)
    done = _finished(db, partial, item.id, duplicate, now)
    store.partial(partial.id).unlink(missing_ok=True)
    return done, jobs


def remove(db: Connection, store: Store, partial: Partial) -> None:
    """Forget an upload and what has come of it; the item that it became stays."""
    with transaction(db):
        db.execute("DELETE FROM partials WHERE id = ?", (partial.id,))
    store.partial(partial.id).unlink(missing_ok=True)


def sweep(db: Connection, store: Store, *, now: float | None = None) -> int:
    """Remove the uploads for which nothing came in LIFE, and files that belong to none; return how many files."""
    now = time.time() if now is None else now
    old = db.execute(
        "SELECT id, item_id IS NOT NULL AS finished FROM partials WHERE coalesce(finished_at, created_at) < ?",
        (now - LIFE,),
    ).fetchall()
    for row in old:
        if row["finished"] or not store.partial(row["id"]).exists():
            with transaction(db):
                db.execute("DELETE FROM partials WHERE id = ?", (row["id"],))
    removed = 0
    for number in list(store.partials()):
        row = db.execute("SELECT 1 FROM partials WHERE id = ? AND item_id IS NULL", (number,)).fetchone()
        path = store.partial(number)
        try:
            if path.stat().st_mtime >= now - (_YOUNG if row is None else LIFE):
                continue
            with Resumed(path):  # nobody writes to it
                if row is not None:
                    with transaction(db):
                        db.execute("DELETE FROM partials WHERE id = ?", (number,))
                path.unlink()
                removed += 1
        except (FileNotFoundError, NotFoundError, BusyFileError):
            continue
    return removed


def _after_a_crash(db: Connection, partial: Partial) -> Partial:
    """Return what became of an upload whose file is gone: the library has it, if only its row was not written yet."""
    item = items.find_by_sha256(db, partial.sha256) if partial.sha256 else None
    if item is None:
        raise no_such_upload()
    return _finished(db, partial, item.id, False, time.time())


def _finished(db: Connection, partial: Partial, item_id: int, duplicate: bool, now: float) -> Partial:
    with transaction(db):
        db.execute(
            "UPDATE partials SET item_id = ?, duplicate = ?, finished_at = ? WHERE id = ?",
            (item_id, duplicate, now, partial.id),
        )
    return Partial(partial.id, partial.name, partial.length, partial.created_at, None, item_id, duplicate, now)
