"""The tables of `library.db`, as migrations: each is a name and its SQL, applied once and never changed afterwards.

Times that people read are ISO 8601 text in UTC (`…Z`); times that are only reckoned with are Unix seconds. An item's
`revision` is set by triggers, so that no visible change can be made without the page hearing of it.
"""

from appliance.library import schema_history, schema_links, schema_removed, schema_search, schema_tally, schema_uploads

_FIRST = """
CREATE TABLE items (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('photo', 'video')),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
  sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
  path TEXT NOT NULL UNIQUE CHECK (path <> ''),
  name TEXT NOT NULL CHECK (name <> ''),
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  mime TEXT NOT NULL,
  width INTEGER CHECK (width > 0),
  height INTEGER CHECK (height > 0),
  duration REAL CHECK (duration >= 0),
  taken_at TEXT,
  added_at TEXT NOT NULL,
  camera TEXT,
  latitude REAL,
  longitude REAL,
  favourite INTEGER NOT NULL DEFAULT 0 CHECK (favourite IN (0, 1)),
  trashed_at TEXT,
  prepared_at TEXT,
  error TEXT,
  revision INTEGER NOT NULL DEFAULT 0,
  sort_at TEXT NOT NULL GENERATED ALWAYS AS (substr(coalesce(taken_at, added_at), 1, 19)) STORED
) STRICT;
CREATE INDEX items_gallery ON items (sort_at) WHERE trashed_at IS NULL;
CREATE INDEX items_gallery_status ON items (status, sort_at) WHERE trashed_at IS NULL;
CREATE INDEX items_gallery_kind ON items (kind, sort_at) WHERE trashed_at IS NULL;
CREATE INDEX items_revision ON items (revision);

CREATE TABLE descriptions (
  id INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  text TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('person', 'model')),
  model TEXT,
  created_at TEXT NOT NULL,
  milliseconds INTEGER CHECK (milliseconds >= 0),
  CHECK ((source = 'model') = (model IS NOT NULL))
) STRICT;
CREATE INDEX descriptions_item ON descriptions (item_id, source);
CREATE INDEX descriptions_model ON descriptions (model, item_id) WHERE source = 'model';

CREATE TABLE frames (
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  place INTEGER NOT NULL,
  at REAL NOT NULL CHECK (at >= 0),
  text TEXT NOT NULL,
  thumbnail TEXT,
  PRIMARY KEY (item_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  text TEXT NOT NULL COLLATE NOCASE CHECK (text <> ''),
  source TEXT NOT NULL CHECK (source IN ('person', 'model', 'file')),
  place INTEGER NOT NULL,
  PRIMARY KEY (item_id, text)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_text ON tags (text, item_id);

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  task TEXT NOT NULL CHECK (task IN ('prepare', 'describe')),
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  queued_at REAL NOT NULL,
  not_before REAL NOT NULL,
  lease_until REAL,
  started_at REAL,
  finished_at REAL,
  error TEXT,
  CHECK ((state = 'running') = (lease_until IS NOT NULL)),
  CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX jobs_open ON jobs (item_id, task) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_urgent ON jobs (priority DESC, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_history ON jobs (item_id, task, id);
CREATE INDEX jobs_failed ON jobs (item_id, task) WHERE state = 'failed';
CREATE INDEX jobs_done ON jobs (finished_at, task, started_at) WHERE state = 'done';

CREATE TABLE preferences (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_slots (
  name TEXT PRIMARY KEY,
  last_slot TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (name <> ''),
  role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
  password_hash TEXT NOT NULL,
  created_at TEXT NOT NULL,
  disabled_at TEXT
) STRICT;

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY CHECK (length(token_hash) = 64),
  account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
  device TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL,
  seen_at REAL NOT NULL,
  expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE access_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key_hash TEXT NOT NULL UNIQUE CHECK (length(key_hash) = 64),
  account_id INTEGER REFERENCES accounts ON DELETE CASCADE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL CHECK (scopes <> ''),
  created_at REAL NOT NULL,
  used_at REAL,
  expires_at REAL,
  revoked_at REAL
) STRICT;
CREATE INDEX access_keys_account ON access_keys (account_id);

CREATE VIRTUAL TABLE items_fts USING fts5 (
  name, description, tags, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER items_removed AFTER DELETE ON items BEGIN
  DELETE FROM items_fts WHERE rowid = old.id;
END;

CREATE TABLE revision (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  latest INTEGER NOT NULL
) STRICT;
INSERT INTO revision VALUES (1, 0);
CREATE TRIGGER items_added AFTER INSERT ON items BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = new.id;
END;
CREATE TRIGGER items_changed AFTER UPDATE OF
  kind, status, path, name, bytes, mime, width, height, duration, taken_at, camera, latitude, longitude,
  favourite, trashed_at, prepared_at, error ON items
BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = new.id;
END;
CREATE TRIGGER descriptions_added AFTER INSERT ON descriptions BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = new.item_id;
END;
CREATE TRIGGER descriptions_removed AFTER DELETE ON descriptions BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = old.item_id;
END;
CREATE TRIGGER tags_added AFTER INSERT ON tags BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = new.item_id;
END;
CREATE TRIGGER tags_removed AFTER DELETE ON tags BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = old.item_id;
END;
"""

# What the box has to say of itself, what it counts, and why jobs failed.
_SECOND = """
CREATE TABLE notices (
  name TEXT PRIMARY KEY,
  level TEXT NOT NULL CHECK (level IN ('good', 'warn', 'bad')),
  text TEXT NOT NULL,
  next_step TEXT NOT NULL,
  dismissible INTEGER NOT NULL CHECK (dismissible IN (0, 1)),
  since TEXT NOT NULL
) STRICT;
CREATE TRIGGER notices_added AFTER INSERT ON notices BEGIN
  UPDATE revision SET latest = latest + 1;
END;
CREATE TRIGGER notices_changed AFTER UPDATE ON notices BEGIN
  UPDATE revision SET latest = latest + 1;
END;
CREATE TRIGGER notices_removed AFTER DELETE ON notices BEGIN
  UPDATE revision SET latest = latest + 1;
END;

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT;

ALTER TABLE jobs ADD COLUMN reason TEXT;
"""

# Which library this is; the marker file in its folder says the same.
_THIRD = """
CREATE TABLE identity (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  library TEXT NOT NULL CHECK (library <> '')
) STRICT;
"""

# Tags by the recogniser. SQLite cannot change a CHECK, so the table is laid anew, with its index and its triggers.
_FOURTH = """
CREATE TABLE tags_anew (
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  text TEXT NOT NULL COLLATE NOCASE CHECK (text <> ''),
  source TEXT NOT NULL CHECK (source IN ('person', 'model', 'recogniser', 'file')),
  place INTEGER NOT NULL,
  PRIMARY KEY (item_id, text)
) STRICT, WITHOUT ROWID;
INSERT INTO tags_anew SELECT item_id, text, source, place FROM tags;
DROP TABLE tags;
ALTER TABLE tags_anew RENAME TO tags;
CREATE INDEX tags_text ON tags (text, item_id);
CREATE TRIGGER tags_added AFTER INSERT ON tags BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = new.item_id;
END;
CREATE TRIGGER tags_removed AFTER DELETE ON tags BEGIN
  UPDATE revision SET latest = latest + 1;
  UPDATE items SET revision = (SELECT latest FROM revision) WHERE id = old.item_id;
END;
"""

# Which tags a person took off: no model puts those on again.
_FIFTH = """
CREATE TABLE unwanted_tags (
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  text TEXT NOT NULL COLLATE NOCASE CHECK (text <> ''),
  PRIMARY KEY (item_id, text)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_favourite ON items (sort_at) WHERE trashed_at IS NULL AND favourite = 1;
CREATE INDEX items_trash ON items (trashed_at) WHERE trashed_at IS NOT NULL;
"""

MIGRATIONS: tuple[tuple[str, str], ...] = (
    ("001_library", _FIRST),
    ("002_notices", _SECOND),
    ("003_identity", _THIRD),
    ("004_recogniser", _FOURTH),
    ("005_words", _FIFTH),
    ("006_search", schema_search.SQL),
    ("007_tally", schema_tally.SQL),
    ("008_uploads", schema_uploads.SQL),
    ("009_removed", schema_removed.SQL),
    ("010_links", schema_links.SQL),
    ("011_history", schema_history.SQL),
    ("012_nights", schema_history.NIGHT_OF_A_JOB),
    ("013_films", schema_uploads.PHOTOS_HEAR),
    ("014_tags", schema_tally.TAGS),
    ("015_films_gone", schema_uploads.PHOTOS_HEAR_OF_THE_LAST),
)
