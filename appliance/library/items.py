"""Photos and videos: reading them one by one and in pages, their facts, and what changed since a moment."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Row
from typing import Unpack

from appliance.errors import NotFoundError
from appliance.library import live, search, tally
from appliance.library.database import LARGEST_ID, Connection, instant, row_id, transaction
from appliance.library.wanted import BY_WORDS, PERSON, Wanted, few
from appliance.library.wanted import conditions as wanted_conditions
from appliance.records import Facts, Item, Kind, Status
from appliance.sentences import Sentence

_MOST_ITEMS = 500
_WEIGHTS = "1, 8, 5, 3"  # of name, description, tags, moments
_RANKED = "best"
MOST_COUNTED = 1000  # matches of a search, tag or author; of more the page says so


class Order(StrEnum):
    """Which items come first."""

    NEWEST = "newest"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of items, the best first where they are `ranked`; `cursor` leads to the next, None on the last."""

    items: list[Item]
    cursor: str | None
    ranked: bool = False


def get(db: Connection, item_id: int) -> Item:
    """Return the item; raise NotFoundError where there is none."""
    row = db.execute("SELECT * FROM items WHERE id = ?", (row_id(item_id),)).fetchone()
    if row is None:
        raise NotFoundError("This item is not in the library.", "It may have been removed; open the library again.")
    return _item(row)


def known(db: Connection, ids: Sequence[int]) -> list[int]:
    """Return those of the ids that are items', each once."""
    rows = db.execute("SELECT id FROM items WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),))
    return [row[0] for row in rows.fetchall()]


def find_by_sha256(db: Connection, sha256: str) -> Item | None:
    """Return the item with these bytes (SHA-256 in hex), trashed or not."""
    row = db.execute("SELECT * FROM items WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else _item(row)


def page(
    db: Connection,
    *,
    order: Order = Order.NEWEST,
    cursor: str | None = None,
    limit: int = 100,
    **wanted: Unpack[Wanted],
) -> Page:
    """Return a page of what is `wanted`, newest first by when it was taken (else added), or the best matches first.

    The best matches of a search are those whose description says it; without words to search for, the newest come
    first, as they do where more is found than can be ranked (2,000). `limit` is kept between 1 and 500. Raises
    NotFoundError where `cursor` is none that a page gave.
    """
    limit = min(max(limit, 1), _MOST_ITEMS)
    words = search.read(wanted.get("q") or "").words
    # Of thousands none is best, and a rank for each would take seconds; what goes on does so as it began.
    if order is Order.BEST and words is not None and (few(db, BY_WORDS, words) if cursor is None else _ranked(cursor)):
        return _best(db, wanted, words, cursor, limit)
    conditions, values = wanted_conditions(db, wanted)
    if cursor is not None:
        conditions.append("(sort_at, id) < (?, ?)")
        values.extend(_position(cursor))
    rows = db.execute(
        f"SELECT * FROM items WHERE {' AND '.join(conditions)}"  # noqa: S608
        " ORDER BY sort_at DESC, id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    return Page([_item(row) for row in rows], _cursor(rows[-1]) if more else None)


def _best(db: Connection, wanted: Wanted, words: str, cursor: str | None, limit: int) -> Page:
    """Return a page of the best matches; its cursor counts, since ranks have no order that could be gone on from."""
    start = 0 if cursor is None else _position(cursor)[1]
    conditions, values = wanted_conditions(db, wanted, words=False)
    rows = db.execute(
        f"""
        SELECT items.* FROM (
          SELECT id AS best, score FROM (
            SELECT rowid AS found, bm25(items_fts, {_WEIGHTS}) AS score FROM items_fts WHERE items_fts MATCH ?
          ) JOIN items ON id = found WHERE {" AND ".join(conditions)}
          ORDER BY score, sort_at DESC, id DESC LIMIT ? OFFSET ?
        ) JOIN items ON id = best ORDER BY score, sort_at DESC, id DESC
        """,  # noqa: S608
        (words, *values, limit + 1, start),
    ).fetchall()
    more = _encoded(_RANKED, start + limit) if len(rows) > limit else None
    return Page([_item(row) for row in rows[:limit]], more, ranked=True)


def count(db: Connection, **wanted: Unpack[Wanted]) -> int:
    """Return how many items all pages of `page` with the same filters hold, at most MOST_COUNTED where it looks."""
    if tally.knows(wanted):
        return tally.count(db, wanted)
    query = search.read(wanted.get("q") or "")
    source, alone = "items", search.Query(words=query.words)
    if query.words is not None and query == alone and all(not value for name, value in wanted.items() if name != "q"):
        # What is found is looked up one by one, until there is enough of it: little of it will not be wanted.
        conditions, values = wanted_conditions(db, wanted, words=False)
        source = f"({BY_WORDS}) AS found CROSS JOIN items ON items.id = found.rowid"
        values.insert(0, query.words)
    else:
        conditions, values = wanted_conditions(db, wanted)
    row = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {' AND '.join(conditions)} LIMIT ?)",  # noqa: S608
        (*values, MOST_COUNTED),
    ).fetchone()
    return int(row[0])


def months(db: Connection, **wanted: Unpack[Wanted]) -> list[tuple[str, int]]:
    """Return the months that have items, the newest first, each (`2024-05`) with how many."""
    if tally.knows(wanted):
        return tally.months(db, wanted)
    conditions, values = wanted_conditions(db, wanted)
    rows = db.execute(
        f"SELECT substr(sort_at, 1, 7) AS month, count(*) FROM items WHERE {' AND '.join(conditions)}"  # noqa: S608
        " GROUP BY month ORDER BY month DESC",
        values,
    )
    return [(row[0], row[1]) for row in rows]


def years(db: Connection) -> list[str]:
    """Return the years that have items, the newest first, by one look into the index for each."""
    found, before = list[str](), ":"  # which sorts behind every digit
    while latest := db.execute(
        "SELECT max(sort_at) FROM items WHERE trashed_at IS NULL AND sort_at < ?", (before,)
    ).fetchone()[0]:
        before = latest[:4]
        found.append(before)
    return found


def describers(db: Connection) -> list[str]:
    """Return the ids of the models whose descriptions are shown, by one look into the index for each."""
    found, before = list[str](), ""
    while following := db.execute(
        "SELECT min(described_by) FROM items WHERE trashed_at IS NULL AND described_by > ?", (before,)
    ).fetchone()[0]:
        before = following
        found.append(before)
    return [one for one in found if one != PERSON]


def cursor_before(month: str) -> str:
    """Return the cursor of the page that begins with the newest item of a month (`2024-05`) or of an older one."""
    return _encoded(f"{month}-99", LARGEST_ID)


def neighbours(db: Connection, item_id: int) -> tuple[int | None, int | None]:
    """Return the ids of the items before (newer) and after (older) this one in the unfiltered gallery."""
    found: list[int | None] = []
    for than, order in ((">", "ASC"), ("<", "DESC")):
        row = db.execute(
            f"""
            SELECT id FROM items WHERE trashed_at IS NULL AND live_of IS NULL
            AND (sort_at, id) {than} (SELECT sort_at, id FROM items WHERE id = ?)
            ORDER BY sort_at {order}, id {order} LIMIT 1
            """,  # noqa: S608
            (item_id,),
        ).fetchone()
        found.append(None if row is None else row[0])
    return found[0], found[1]


def counts(db: Connection) -> dict[Status, int]:
    """Return how many items have each status, the trash left out."""
    return tally.by_status(db)


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
    """Store what the file says of itself and note that it is prepared; raise NotFoundError where the item is gone.

    A date that a person set stays.
    """
    with transaction(db):
        changed = db.execute(
            """
            UPDATE items SET kind = ?, mime = ?, width = ?, height = ?, duration = ?, file_taken_at = ?,
              taken_at = CASE WHEN dated THEN taken_at ELSE ? END, camera = ?, latitude = ?, longitude = ?,
              prepared_at = ? WHERE id = ?
            """,
            (
                facts.format.kind, facts.format.mime, facts.width, facts.height, facts.duration, facts.taken_at,
                facts.taken_at, facts.camera, facts.latitude, facts.longitude, instant(now), item_id,
            ),
        )  # fmt: skip
        if changed.rowcount == 0:
            raise NotFoundError("This item is not in the library.", "It may have been removed.")
        live.pair(db, item_id)


def revision(db: Connection) -> int:
    """Return the number of the latest change; it grows with each."""
    latest: int = db.execute("SELECT latest FROM revision").fetchone()[0]
    return latest


def changes_since(db: Connection, revision: int, limit: int, *, until: int = LARGEST_ID) -> tuple[list[Item], int]:
    """Return up to `limit` items changed after `revision`, in order of their last change, and the revision they reach.

    An item that changed often comes once, as it is now, and not where its last change was after `until`; trashed items
    come too.
    """
    rows = db.execute(
        "SELECT * FROM items WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?",
        (revision, until, limit),
    ).fetchall()
    return [_item(row) for row in rows], rows[-1]["revision"] if rows else revision


def _cursor(row: Row) -> str:
    return _encoded(row["sort_at"], row["id"])


def _encoded(text: str, number: int) -> str:
    return base64.urlsafe_b64encode(f"{text}|{number}".encode()).decode().rstrip("=")


def _ranked(cursor: str) -> bool:
    return _position(cursor)[0] == _RANKED


def _position(cursor: str) -> tuple[str, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        first, number = text.split("|")
        last = int(number)
    except (binascii.Error, ValueError):
        first, last = "", 0
    if not 0 < last <= LARGEST_ID:
        raise _no_such_page()
    return first, last


def _no_such_page() -> NotFoundError:
    return NotFoundError("This page of the library does not exist.", "Open the library again.")


def _item(row: Row) -> Item:
    fields = {name: row[name] for name in Item.__slots__}
    if row["error"] is not None:
        fields["error"] = Sentence.read(row["error"])
    fields |= {"kind": Kind(row["kind"]), "status": Status(row["status"])}
    return Item(**fields | {"favourite": bool(row["favourite"]), "dated": bool(row["dated"])})
