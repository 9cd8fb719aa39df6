"""Photos and videos: reading them one by one and in pages, their facts, and what changed since a moment."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Row

from appliance.errors import NotFoundError
from appliance.library import search
from appliance.library.database import Connection, instant, transaction
from appliance.records import Facts, Item, Kind, Status

_MOST_ITEMS = 500
_LARGEST_ID = 2**63 - 1
# Up to so many matches of a word or tag are looked up and sorted; with more, the gallery is read in its own order and
# what does not match left out (100,000 items: 20 ms at worst).
_FEW_MATCHES = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """A page of items; `cursor` leads to the next one and is None on the last."""

    items: list[Item]
    cursor: str | None


def get(db: Connection, item_id: int) -> Item:
    """Return the item; raise NotFoundError where there is none."""
    row = None
    if 0 < item_id <= _LARGEST_ID:
        row = db.execute("SELECT * FROM items WHERE id = ?", (item_id,)).fetchone()
    if row is None:
        raise NotFoundError("This item is not in the library.", "It may have been removed; open the library again.")
    return _item(row)


def find_by_sha256(db: Connection, sha256: str) -> Item | None:
    """Return the item with these bytes (SHA-256 in hex), trashed or not."""
    row = db.execute("SELECT * FROM items WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else _item(row)


def page(
    db: Connection,
    *,
    status: Status | None = None,
    kind: Kind | None = None,
    q: str | None = None,
    tag: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Return a page of what is not in the trash, newest first by when it was taken (else added).

    `q` is what a person searches for, `tag` an exact tag; `limit` is kept between 1 and 500. Raises NotFoundError
    where `cursor` is none that a page gave.
    """
    conditions, values = _conditions(db, status, kind, q, tag)
    if cursor is not None:
        conditions.append("(sort_at, id) < (?, ?)")
        values.extend(_position(cursor))
    limit = min(max(limit, 1), _MOST_ITEMS)
    rows = db.execute(
        f"SELECT * FROM items WHERE {' AND '.join(conditions)}"  # noqa: S608
        " ORDER BY sort_at DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    return Page([_item(row) for row in rows], _cursor(rows[-1]) if more else None)


def count(
    db: Connection,
    *,
    status: Status | None = None,
    kind: Kind | None = None,
    q: str | None = None,
    tag: str | None = None,
) -> int:
    """Return how many items all pages of `page` with the same filters hold."""
    conditions, values = _conditions(db, status, kind, q, tag)
    row = db.execute(f"SELECT count(*) FROM items WHERE {' AND '.join(conditions)}", values).fetchone()  # noqa: S608
    return int(row[0])


def neighbours(db: Connection, item_id: int) -> tuple[int | None, int | None]:
    """Return the ids of the items before (newer) and after (older) this one in the unfiltered gallery."""
    found: list[int | None] = []
    for than, order in ((">", "ASC"), ("<", "DESC")):
        row = db.execute(
            f"""
            SELECT id FROM items WHERE trashed_at IS NULL
            AND (sort_at, id) {than} (SELECT sort_at, id FROM items WHERE id = ?)
            ORDER BY sort_at {order}, id {order} LIMIT 1
            """,  # noqa: S608
            (item_id,),
        ).fetchone()
        found.append(None if row is None else row[0])
    return found[0], found[1]


def counts(db: Connection) -> dict[Status, int]:
    """Return how many items have each status, the trash left out."""
    found = dict.fromkeys(Status, 0)
    for row in db.execute("SELECT status, count(*) FROM items WHERE trashed_at IS NULL GROUP BY status"):
        found[Status(row[0])] = row[1]
    return found


def waiting(db: Connection, kind: Kind, *, limit: int) -> list[int]:
    """Return the ids of pending items for which no description is under way or asked for, the oldest first."""
    rows = db.execute(
        """
        SELECT id FROM items WHERE trashed_at IS NULL AND status = 'pending' AND kind = ? AND NOT EXISTS (
          SELECT 1 FROM jobs WHERE item_id = items.id AND task = 'describe' AND state IN ('queued', 'running')
        ) ORDER BY sort_at, id LIMIT ?
        """,
        (kind, limit),
    )
    return [row[0] for row in rows]


def some_described(db: Connection, count: int) -> list[Item]:
    """Return up to so many described photos, chosen at random, none of them in the trash."""
    rows = db.execute(
        "SELECT * FROM items WHERE kind = 'photo' AND status = 'completed' AND trashed_at IS NULL"
        " ORDER BY random() LIMIT ?",
        (count,),
    )
    return [_item(row) for row in rows]


def every(db: Connection) -> Iterator[Item]:
    """Yield every item, the trash included, read in pieces so that none keeps the library from being tidied."""
    last = 0
    while rows := db.execute("SELECT * FROM items WHERE id > ? ORDER BY id LIMIT ?", (last, _MOST_ITEMS)).fetchall():
        yield from map(_item, rows)
        last = rows[-1]["id"]


def set_facts(db: Connection, item_id: int, facts: Facts, *, now: float | None = None) -> None:
    """Store what the file says of itself and note that it is prepared; raise NotFoundError where the item is gone."""
    with transaction(db):
        changed = db.execute(
            """
            UPDATE items SET kind = ?, mime = ?, width = ?, height = ?, duration = ?, taken_at = ?, camera = ?,
              latitude = ?, longitude = ?, prepared_at = ? WHERE id = ?
            """,
            (
                facts.format.kind, facts.format.mime, facts.width, facts.height, facts.duration, facts.taken_at,
                facts.camera, facts.latitude, facts.longitude, instant(now), item_id,
            ),
        )  # fmt: skip
        if changed.rowcount == 0:
            raise NotFoundError("This item is not in the library.", "It may have been removed.")


def revision(db: Connection) -> int:
    """Return the number of the latest change; it grows with each."""
    latest: int = db.execute("SELECT latest FROM revision").fetchone()[0]
    return latest


def changes_since(db: Connection, revision: int, limit: int) -> tuple[list[Item], int]:
    """Return up to `limit` items changed after `revision`, in order of their last change, and the revision they reach.

    An item that changed often comes once, as it is now; trashed items come too.
    """
    rows = db.execute(
        "SELECT * FROM items WHERE revision > ? ORDER BY revision LIMIT ?",
        (revision, limit),
    ).fetchall()
    return [_item(row) for row in rows], rows[-1]["revision"] if rows else revision


def _conditions(
    db: Connection, status: Status | None, kind: Kind | None, q: str | None, tag: str | None
) -> tuple[list[str], list[object]]:
    """Return what `WHERE` asks for, to be joined by AND, and the values for it."""
    conditions, values = ["trashed_at IS NULL"], list[object]()
    if status is not None:
        conditions.append("status = ?")
        values.append(status)
    if kind is not None:
        conditions.append("kind = ?")
        values.append(kind)
    if tag is not None:
        conditions.append(_among(db, "SELECT item_id FROM tags WHERE text = ?", tag))
        values.append(tag)
    if q is not None and q.strip():
        expression = search.match(q)
        if expression is None:
            conditions.append("FALSE")  # nothing in it that can be searched for
        else:
            conditions.append(_among(db, "SELECT rowid FROM items_fts WHERE items_fts MATCH ?", expression))
            values.append(expression)
    return conditions, values


def _among(db: Connection, select: str, value: str) -> str:
    few = db.execute(f"SELECT count(*) <= ? FROM ({select} LIMIT ?)", (_FEW_MATCHES, value, _FEW_MATCHES + 1))  # noqa: S608
    key = "id" if few.fetchone()[0] else "+id"  # the plus keeps SQLite from looking items up by their ids
    return f"{key} IN ({select})"


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row['sort_at']}|{row['id']}".encode()).decode().rstrip("=")


def _position(cursor: str) -> Iterable[object]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        sort_at, number = text.split("|")
        item_id = int(number)
    except (binascii.Error, ValueError):
        item_id = 0
    if not 0 < item_id <= _LARGEST_ID:
        raise NotFoundError("This page of the library does not exist.", "Open the library again.")
    return sort_at, item_id


def _item(row: Row) -> Item:
    fields = {name: row[name] for name in Item.__slots__}
    return Item(
        **{**fields, "kind": Kind(row["kind"]), "status": Status(row["status"]), "favourite": bool(row["favourite"])}
    )
