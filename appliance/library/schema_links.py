"""Links for sending files in, and who among the people wrote a description."""

SQL = """
-- Of a link's token only the hash is kept; times are Unix seconds.
CREATE TABLE links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  name TEXT NOT NULL CHECK (name <> ''),
  created_at REAL NOT NULL,
  expires_at REAL NOT NULL,
  revoked_at REAL,
  files INTEGER NOT NULL DEFAULT 0
) STRICT;

ALTER TABLE descriptions ADD COLUMN author TEXT;
"""
