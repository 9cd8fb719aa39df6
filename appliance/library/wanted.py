"""Which items a listing asks for, as SQL: the one place where the gallery's filters become conditions."""

from typing import TypedDict

from appliance.library import search
from appliance.library.database import Connection
from appliance.records import Kind, Status

PERSON = "person"  # of `described_by`: described by whoever lives here
# Up to so many matches of a word or tag are looked up and sorted; with more, the gallery is read in its own order and
# what does not match left out (100,000 items: 20 ms at worst).
_FEW_MATCHES = 2000
_BY_TAG = "SELECT item_id FROM tags WHERE text = ?"
BY_WORDS = "SELECT rowid FROM items_fts WHERE items_fts MATCH ?"


class Wanted(TypedDict, total=False):
    """What a listing may ask for; what is None or left out is not asked for.

    `q` is what a person types, `tag` an exact tag, `described_by` PERSON or a model's id; `trashed` asks for what is in
    the trash, which is left out otherwise.
    """

    status: Status | None
    kind: Kind | None
    q: str | None
    tag: str | None
    year: int | None
    favourite: bool | None
    described_by: str | None
    trashed: bool


def conditions(db: Connection, wanted: Wanted, *, words: bool = True) -> tuple[list[str], list[object]]:
    """Return what `WHERE` asks for, to be joined by AND, and the values for it.

    Without `words` it is left out what must stand in the search index: the caller looks there himself.
    """
    # The film of a Live Photo is shown with its photo.
    asked = ["trashed_at IS NOT NULL" if wanted.get("trashed") else "trashed_at IS NULL", "live_of IS NULL"]
    values = list[object]()

    def ask(condition: str, *more: object) -> None:
        asked.append(condition)
        values.extend(more)

    for column in ("status", "kind"):
        if (value := wanted.get(column)) is not None:
            ask(f"{column} = ?", value)
    if (favourite := wanted.get("favourite")) is not None:
        ask("favourite = 1" if favourite else "favourite = 0")  # written out, so that the favourites' index is seen
    if (year := wanted.get("year")) is not None:
        ask("sort_at >= ? AND sort_at < ?", f"{year:04}", f"{year + 1:04}")
    if (tag := wanted.get("tag")) is not None:
        ask(_among(db, _BY_TAG, tag), tag)
    if (by := wanted.get("described_by")) is not None:
        ask("described_by = ?", by)
    if (q := wanted.get("q")) and q.strip():
        query = search.read(q)
        if query.is_empty:
            ask("FALSE")  # nothing in it that can be looked for
        if words and query.words is not None:
            ask(_among(db, BY_WORDS, query.words), query.words)
        if query.without is not None:
            ask(f"+id NOT IN ({BY_WORDS})", query.without)
        for one in query.tags:
            ask(_among(db, _BY_TAG, one), one)
        for one in query.without_tags:
            ask(f"+id NOT IN ({_BY_TAG})", one)
        for one in query.years:
            ask("sort_at >= ? AND sort_at < ?", one, f"{one}~")  # a tilde comes behind any digit and dash
        for one in query.without_years:
            ask("sort_at NOT LIKE ?", f"{one}%")
    return asked, values


def few(db: Connection, select: str, value: str) -> bool:
    """Return whether `select` gives no more rows than can be looked up one by one."""
    row = db.execute(f"SELECT count(*) <= ? FROM ({select} LIMIT ?)", (_FEW_MATCHES, value, _FEW_MATCHES + 1))  # noqa: S608
    return bool(row.fetchone()[0])


def _among(db: Connection, select: str, value: str) -> str:
    key = "id" if few(db, select, value) else "+id"  # the plus keeps SQLite from looking items up by their ids
    return f"{key} IN ({select})"
