"""Who described what is shown, and the tally of the library: how many items there are of each sort.

The tally spares every page a count of 100,000 rows: some rows for each month, kept by triggers.
"""

from collections.abc import Callable

# Who wrote the description shown: a model's id, or 'person'.
_DESCRIBED_BY = """
ALTER TABLE items ADD COLUMN described_by TEXT;
UPDATE items SET described_by = (
  SELECT coalesce(model, source) FROM descriptions WHERE item_id = items.id ORDER BY source DESC, id DESC LIMIT 1
);
CREATE TRIGGER described_by_added AFTER INSERT ON descriptions BEGIN
  UPDATE items SET described_by = (
    SELECT coalesce(model, source) FROM descriptions WHERE item_id = new.item_id ORDER BY source DESC, id DESC LIMIT 1
  ) WHERE id = new.item_id;
END;
CREATE TRIGGER described_by_removed AFTER DELETE ON descriptions BEGIN
  UPDATE items SET described_by = (
    SELECT coalesce(model, source) FROM descriptions WHERE item_id = old.item_id ORDER BY source DESC, id DESC LIMIT 1
  ) WHERE id = old.item_id;
END;

CREATE INDEX items_gallery_author ON items (described_by, sort_at) WHERE trashed_at IS NULL;
"""

# What the forecast counts: descriptions asked for, and videos that wait for one.
_WAITING = """
CREATE INDEX jobs_asked ON jobs (item_id) WHERE state = 'queued' AND task = 'describe';
CREATE INDEX items_waiting_videos ON items (id)
  WHERE kind = 'video' AND status = 'pending' AND trashed_at IS NULL;
"""

_COUNTED = "month, kind, status, favourite, trashed"


def _one(row: str, trashed: str) -> str:
    """Return the values of the tally that an item counts for; `row` is a name before its columns, such as `new.`."""
    return f"substr({row}sort_at, 1, 7), {row}kind, {row}status, {row}favourite, {trashed}"


def _trashed(row: str) -> str:
    return f"{row}trashed_at IS NOT NULL"


def triggers(trashed: Callable[[str], str], columns: str) -> str:
    """Return the triggers that keep the tally.

    `trashed` gives its column of that name for a prefix such as `new.`, and depends on `columns`.
    """
    old, new = (_one(row, trashed(row)) for row in ("old.", "new."))
    more = (
        f"INSERT INTO tally ({_COUNTED}, count) VALUES ({new}, 1)"  # noqa: S608
        f" ON CONFLICT ({_COUNTED}) DO UPDATE SET count = count + 1;"
    )
    fewer = f"UPDATE tally SET count = count - 1 WHERE ({_COUNTED}) = ({old});"  # noqa: S608
    return f"""
CREATE TRIGGER tally_added AFTER INSERT ON items BEGIN {more} END;
CREATE TRIGGER tally_removed AFTER DELETE ON items BEGIN {fewer} END;
CREATE TRIGGER tally_changed AFTER UPDATE OF kind, status, favourite, taken_at, added_at, {columns} ON items
WHEN ({old}) IS NOT ({new}) BEGIN {fewer} {more} END;
"""


_TALLY = f"""
CREATE TABLE tally (
  month TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  favourite INTEGER NOT NULL,
  trashed INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (month, kind, status, favourite, trashed)
) STRICT, WITHOUT ROWID;
INSERT INTO tally ({_COUNTED}, count) SELECT {_one("", _trashed(""))}, count(*) FROM items GROUP BY 1, 2, 3, 4, 5;
"""  # noqa: S608

SQL = _DESCRIBED_BY + _WAITING + _TALLY + triggers(_trashed, "trashed_at")

# How many items have each tag, the trash and films of Live Photos among them; the index is for the commonest.
TAGS = """
CREATE TABLE tag_tally (
  text TEXT PRIMARY KEY COLLATE NOCASE,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tag_tally SELECT text, count(*) FROM tags GROUP BY text;
CREATE INDEX tag_tally_commonest ON tag_tally (count DESC, text);
CREATE TRIGGER tag_tally_added AFTER INSERT ON tags BEGIN
  INSERT INTO tag_tally VALUES (new.text, 1) ON CONFLICT (text) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER tag_tally_removed AFTER DELETE ON tags BEGIN
  UPDATE tag_tally SET count = count - 1 WHERE text = old.text;
  DELETE FROM tag_tally WHERE text = old.text AND count = 0;
END;
"""
