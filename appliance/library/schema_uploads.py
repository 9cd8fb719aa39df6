"""Uploads under way that survive a cut, and the film that belongs to a photo.

Such a film is shown with its photo, never for itself: in the tally it stands apart, as neither trashed nor not.
"""

from appliance.library.schema_tally import triggers

SQL = """
CREATE TABLE partials (
  id TEXT PRIMARY KEY CHECK (length(id) = 32),
  name TEXT NOT NULL,
  length INTEGER NOT NULL CHECK (length > 0),
  created_at REAL NOT NULL,
  sha256 TEXT CHECK (length(sha256) = 64),
  item_id INTEGER REFERENCES items ON DELETE CASCADE,
  duplicate INTEGER NOT NULL DEFAULT 0 CHECK (duplicate IN (0, 1)),
  finished_at REAL,
  CHECK ((item_id IS NULL) = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX partials_item ON partials (item_id) WHERE item_id IS NOT NULL;

ALTER TABLE items ADD COLUMN live_of INTEGER REFERENCES items ON DELETE SET NULL;
CREATE INDEX items_live ON items (live_of) WHERE live_of IS NOT NULL;
CREATE INDEX items_name ON items (name COLLATE NOCASE);
CREATE TRIGGER items_paired AFTER UPDATE OF live_of ON items BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = new.id;
END;
-- The film of a Live Photo goes into the trash with its photo, and comes back with it.
CREATE TRIGGER items_trashed_together AFTER UPDATE OF trashed_at ON items WHEN old.trashed_at IS NOT new.trashed_at
BEGIN
  UPDATE items SET trashed_at = new.trashed_at WHERE live_of = new.id;
END;

DROP TRIGGER tally_added;
DROP TRIGGER tally_removed;
DROP TRIGGER tally_changed;
"""

# A photo's page plays its film, so it hears of one that is found, or gone, as the film's own does.
PHOTOS_HEAR = """
CREATE TRIGGER photos_paired AFTER UPDATE OF live_of ON items WHEN old.live_of IS NOT new.live_of BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id IN (old.live_of, new.live_of);
END;
"""

# Nor can the page play a film any more that is gone for good.
PHOTOS_HEAR_OF_THE_LAST = """
CREATE TRIGGER photos_bereft AFTER DELETE ON items WHEN old.live_of IS NOT NULL BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = old.live_of;
END;
"""

_SHOWN_WITH_ITS_PHOTO = 2

SQL += triggers(
    lambda row: f"CASE WHEN {row}live_of IS NULL THEN {row}trashed_at IS NOT NULL ELSE {_SHOWN_WITH_ITS_PHOTO} END",
    "trashed_at, live_of",
)
