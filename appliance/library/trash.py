"""Favourites and the trash: what a person puts aside, takes back, or lets go of for good."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from appliance.library.database import Connection, instant, transaction
from appliance.library.store import Store

KEPT_DAYS = 30  # in the trash, before it is emptied by itself
_AT_ONCE = 100


def set_favourite(db: Connection, ids: Sequence[int], favourite: bool) -> list[int]:
    """Make items favourites, or no longer; return the ids of those that changed."""
    return _change(db, "favourite = ?", (favourite,), "favourite <> ?", (favourite,), ids)


def put_in(db: Connection, ids: Sequence[int], *, now: float | None = None) -> list[int]:
    """Put items in the trash; return the ids of those that were not there yet."""
    return _change(db, "trashed_at = ?", (instant(now),), "trashed_at IS NULL", (), ids)


def take_out(db: Connection, ids: Sequence[int]) -> list[int]:
    """Take items out of the trash; return the ids of those that were there."""
    return _change(db, "trashed_at = NULL", (), "trashed_at IS NOT NULL", (), ids)


def take_all_out(db: Connection) -> int:
    """Take everything out of the trash, so many at once that uploads need not wait long for the library.

    Return how many that were, counted as `size` does.
    """
    restored = 0
    while rows := db.execute(
        "SELECT id, live_of FROM items WHERE trashed_at IS NOT NULL LIMIT ?", (_AT_ONCE,)
    ).fetchall():
        films = {row["id"] for row in rows if row["live_of"] is not None}
        restored += len(set(take_out(db, [row["id"] for row in rows])) - films)
    return restored


def size(db: Connection) -> tuple[int, int]:
    """Return how many items are in the trash, and how many bytes their originals have, Live Photos' films with them."""
    count, total = db.execute(
        "SELECT count(*) FILTER (WHERE live_of IS NULL), coalesce(sum(bytes), 0) FROM items"
        " WHERE trashed_at IS NOT NULL"
    ).fetchone()
    return count, total


def empty(db: Connection, store: Store, ids: Sequence[int] | None = None, *, before: str = "9999") -> list[int]:
    """Remove trashed items for good, with their originals; return their ids.

    Only those among `ids` where given, and only those put in the trash before the instant `before`. The file goes while
    the row still stands: a crash in between leaves a trashed row whose file is gone, which the next time removes, and
    never a file that would be taken in again as forgotten.
    """
    removed = list[int]()
    if ids is not None:  # a Live Photo's film goes with it
        films = db.execute(
            "SELECT id FROM items WHERE live_of IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
        )
        ids = [*ids, *(row[0] for row in films)]
    while rows := db.execute(
        "SELECT id, path, sha256, live_of FROM items WHERE trashed_at IS NOT NULL AND trashed_at < ?"
        " AND (? IS NULL OR id IN (SELECT value FROM json_each(?))) LIMIT ?",
        (before, *([None, "[]"] if ids is None else ["ids", json.dumps(list(ids))]), _AT_ONCE),
    ).fetchall():
        for row in rows:
            with transaction(db):
                gone = db.execute("DELETE FROM items WHERE id = ? AND trashed_at IS NOT NULL", (row["id"],)).rowcount
                if gone:  # it may have been taken out in this moment
                    store.remove(row["path"])
            if gone:
                store.remove_derived(row["sha256"])
                if row["live_of"] is None:
                    removed.append(row["id"])
    return removed


def empty_old(db: Connection, store: Store, *, now: float | None = None) -> int:
    """Remove for good what has been in the trash for KEPT_DAYS; return how many that were."""
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC) - timedelta(days=KEPT_DAYS)
    return len(empty(db, store, before=instant(at.timestamp())))


def _change(
    db: Connection,
    assignment: str,
    values: tuple[object, ...],
    where: str,
    known: tuple[object, ...],
    ids: Sequence[int],
) -> list[int]:
    with transaction(db):
        rows = db.execute(
            f"UPDATE items SET {assignment} WHERE {where} AND id IN (SELECT value FROM json_each(?)) RETURNING id",  # noqa: S608
            (*values, *known, json.dumps(list(ids))),
        )
        return [row[0] for row in rows.fetchall()]
