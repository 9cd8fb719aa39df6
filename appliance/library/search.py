"""Full-text search over names, descriptions and tags (FTS5 table `items_fts`, one row an item)."""

import re

from appliance.library.database import Connection

_MOST_WORDS = 32
_PART = re.compile(r'"([^"]*)"|([^\s"]+)')


def match(text: str) -> str | None:
    """Return what people type as an FTS5 expression, or None where it has nothing to look for.

    Every word must be found, quoted words in that order, and the last one may be only the beginning of a word. Nothing
    in `text` is taken for FTS5's own syntax.
    """
    # SQLite takes neither NUL in an expression nor lone surrogates in text
    clean = "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
    parts = [(phrase or word).strip() for phrase, word in _PART.findall(clean)]
    words = [f'"{part}"' for part in parts if any(c.isalnum() for c in part)][:_MOST_WORDS]
    return " ".join(words) + "*" if words else None


def index(db: Connection, item_id: int) -> None:
    """Renew the item's row in the search table from its name, current description, frames and tags."""
    db.execute("DELETE FROM items_fts WHERE rowid = ?", (item_id,))
    db.execute(
        """
        INSERT INTO items_fts (rowid, name, description, tags)
        SELECT id, name,
          coalesce((SELECT text FROM descriptions WHERE item_id = items.id ORDER BY source DESC, id DESC LIMIT 1), '')
            || coalesce((SELECT ' ' || group_concat(text, ' ') FROM frames WHERE item_id = items.id), ''),
          coalesce((SELECT group_concat(text, ' ') FROM tags WHERE item_id = items.id), '')
        FROM items WHERE id = ?
        """,
        (item_id,),
    )
