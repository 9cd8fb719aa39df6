"""Which items were removed for good lately, and which dates a person set.

Open pages are told which of the last 1,000 are gone, and where they missed more than that.
"""

_REMOVED = """
CREATE TABLE removed (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  item_id INTEGER NOT NULL,
  revision INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_revision ON removed (revision);
CREATE TRIGGER items_gone AFTER DELETE ON items BEGIN
  UPDATE revision SET latest = latest + 1;
  INSERT INTO removed (item_id, revision) VALUES (old.id, (SELECT latest FROM revision));
  DELETE FROM removed WHERE place <= (SELECT max(place) FROM removed) - 1000;
END;
"""

# What the file itself says of when it was taken, and whether a person knew better.
_DATES = """
ALTER TABLE items ADD COLUMN file_taken_at TEXT;
ALTER TABLE items ADD COLUMN dated INTEGER NOT NULL DEFAULT 0 CHECK (dated IN (0, 1));
UPDATE items SET file_taken_at = taken_at;
"""

SQL = _REMOVED + _DATES
