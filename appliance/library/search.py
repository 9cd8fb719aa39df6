"""Full-text search over names, descriptions, tags and videos' moments (FTS5 table `items_fts`, one row an item).

What people may type: words (found by their stems: "dogs" finds "dog"), the beginning of a word at the end, "phrases in
quotes", -without, tag:beach, tag:"birthday cake", year:2024. Nothing in it is taken for FTS5's own syntax.
"""

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from appliance.library.database import Connection

_MOST_WORDS = 32
_LONG_BEGINNING = 48  # characters; a small picture has room for three short lines
_TOKENIZE = "tokenize = 'porter unicode61 remove_diacritics 2'"  # as in the migration
_PART = re.compile(r'(-?)(?:(tag|year):)?(?:"([^"]*)(?:"|$)|([^\s"]+))', re.IGNORECASE)
# An ending on its way, and a consonant doubled before it: "swimmi" is to find what the stem "swim" stands for.
_ENDING = re.compile(r"(?:i(?:ng?)?|ed?)$")
_ENDS = ("ation", "ion", "ment", "ness", "ful", "ly", "ity", "ive", "ous", "able", "ible", "ance", "ence", "ate", "al")
_DOUBLED = re.compile(r"([^aeiou\W\d_])\1$")
_BEFORE, _AFTER, _BETWEEN = "\x02", "\x03", "\x1f"  # no text that is stored has control characters of its own


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asked for: FTS5 expressions for what to find and what not, tags and years; None for nothing."""

    words: str | None = None
    without: str | None = None
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    without_years: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that can be looked for."""
        return self == Query()


@dataclass(frozen=True, slots=True)
class Hit:
    """Where an item was found: the text that says it in pieces, each marked or not, and a video's moment in seconds.

    The text is the description; where no word of it is meant, the moment's, else the tags, else the name. Of a long
    beginning without a word that is meant only the end is there.
    """

    pieces: tuple[tuple[str, bool], ...]
    at: float | None


def read(text: str) -> Query:
    """Return what a person typed, of any text at all."""
    # SQLite takes neither NUL in an expression nor lone surrogates in text; the marks must stay ours
    clean = "".join(" " if c < " " or "\ud800" <= c <= "\udfff" else c for c in text)
    wanted, unwanted = list[str](), list[str]()
    tags, without_tags, years, without_years = list[str](), list[str](), list[str](), list[str]()
    for minus, key, phrase, word in list(_PART.findall(clean))[:_MOST_WORDS]:
        said = (phrase or word).strip()
        if not any(c.isalnum() for c in said):
            continue
        if key.lower() == "tag":
            (without_tags if minus else tags).append(said)
        elif key.lower() == "year" and re.fullmatch(r"[0-9]{4}", said):
            (without_years if minus else years).append(said)
        else:
            (unwanted if minus else wanted).append(f"{key}:{said}" if key else said)
    last_is_word = bool(wanted) and not clean.rstrip().endswith('"') and clean.rstrip().endswith(wanted[-1])
    return Query(
        _all_of(wanted, last_is_word) if wanted else None,
        " OR ".join(map(_quoted, unwanted)) if unwanted else None,
        tuple(tags), tuple(without_tags), tuple(years), tuple(without_years),
    )  # fmt: skip


def hits(db: Connection, text: str, item_ids: Iterable[int]) -> dict[int, Hit]:
    """Return where the words of `text` stand in these items, by item id."""
    words = read(text).words
    if words is None:
        return {}
    rows = db.execute(
        "SELECT items_fts.rowid, name, description, tags, moments"
        " FROM json_each(?) AS wanted JOIN items_fts ON items_fts.rowid = wanted.value",
        (json.dumps(list(item_ids)),),
    ).fetchall()
    # A small index of these items alone: the library's would begin to look anew for each of them.
    with closing(sqlite3.connect(":memory:")) as few:
        few.execute(f"CREATE VIRTUAL TABLE few USING fts5 (name, description, tags, moments, {_TOKENIZE})")
        few.executemany("INSERT INTO few (rowid, name, description, tags, moments) VALUES (?, ?, ?, ?, ?)", rows)
        columns = ", ".join(f"highlight(few, {column}, '{_BEFORE}', '{_AFTER}')" for column in range(4))
        marked = few.execute(f"SELECT rowid, {columns} FROM few WHERE few MATCH ?", (words,)).fetchall()  # noqa: S608
    return {number: _hit(db, number, *texts) for number, *texts in marked}


def index(db: Connection, item_id: int) -> None:
    """Renew the item's row in the search table from its name, current description, frames and tags."""
    db.execute("DELETE FROM items_fts WHERE rowid = ?", (item_id,))
    db.execute(
        f"""
        INSERT INTO items_fts (rowid, name, description, tags, moments)
        SELECT id, name,
          coalesce((SELECT text FROM descriptions WHERE item_id = items.id ORDER BY source DESC, id DESC LIMIT 1), ''),
          coalesce((SELECT group_concat(text, ' ') FROM tags WHERE item_id = items.id), ''),
          coalesce((SELECT group_concat(text, '{_BETWEEN}') FROM (
            SELECT text FROM frames WHERE item_id = items.id ORDER BY place
          )), '')
        FROM items WHERE id = ?
        """,  # noqa: S608
        (item_id,),
    )


def _all_of(words: list[str], last_is_begun: bool) -> str:
    parts = [_quoted(word) for word in words]
    if last_is_begun:
        begun = {words[-1]}
        base = _DOUBLED.sub(r"\1", _ENDING.sub("", words[-1].lower()))
        if len(base) >= 3:
            begun.add(base)
        ways = [parts[-1], *(f"{_quoted(one)} *" for one in sorted(begun)), *map(_quoted, _finished(words[-1].lower()))]
        parts[-1] = f"({' OR '.join(ways)})"
    return " AND ".join(parts)


def _finished(word: str) -> list[str]:
    """Return the words that a beginning may become whose stem is shorter than itself: of `beautifu`, "beautiful"."""
    if len(word) < 3 or not word.isalpha():
        return []
    return [word + end[have:] for end in _ENDS for have in range(1, len(end)) if word.endswith(end[:have])]


def _quoted(word: str) -> str:
    return '"' + word.replace('"', " ") + '"'


def _pieces(text: str) -> tuple[tuple[str, bool], ...]:
    found = list[tuple[str, bool]]()
    for part in re.split(f"({_BEFORE}.*?{_AFTER})", text):
        if part:
            marked = part.startswith(_BEFORE)
            found.append((part.strip(_BEFORE + _AFTER), marked))
    return tuple(found)


def _hit(db: Connection, item_id: int, name: str, description: str, tags: str, moments: str) -> Hit:
    texts = moments.split(_BETWEEN)
    place = max(range(len(texts)), key=lambda place: _words_in(texts[place]))  # of equals the earliest
    at = None
    if _BEFORE in texts[place]:
        row = db.execute(
            "SELECT at FROM frames WHERE item_id = ? ORDER BY place LIMIT 1 OFFSET ?", (item_id, place)
        ).fetchone()
        at = None if row is None else float(row["at"])
    says = next((text for text in (description, texts[place], tags, name) if _BEFORE in text), description)
    pieces = _pieces(says)
    if len(pieces) > 1 and not pieces[0][1] and len(pieces[0][0]) > _LONG_BEGINNING:
        end = pieces[0][0][-_LONG_BEGINNING // 2 :].partition(" ")[2]
        pieces = ((f"… {end}", False), *pieces[1:])
    return Hit(pieces, at)


def _words_in(text: str) -> int:
    """Return how many different words are marked."""
    return len({word for piece, marked in _pieces(text) if marked for word in piece.lower().split()})
