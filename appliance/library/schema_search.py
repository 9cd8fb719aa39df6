"""The search index by the stems of words, with a video's moments in a column of their own."""

SQL = """
DROP TRIGGER items_removed;
DROP TABLE items_fts;
CREATE VIRTUAL TABLE items_fts USING fts5 (
  name, description, tags, moments, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO items_fts (rowid, name, description, tags, moments)
SELECT id, name,
  coalesce((SELECT text FROM descriptions WHERE item_id = items.id ORDER BY source DESC, id DESC LIMIT 1), ''),
  coalesce((SELECT group_concat(text, ' ') FROM tags WHERE item_id = items.id), ''),
  coalesce((SELECT group_concat(text, char(31)) FROM (
    SELECT text FROM frames WHERE item_id = items.id ORDER BY place
  )), '')
FROM items;
CREATE TRIGGER items_removed AFTER DELETE ON items BEGIN
  DELETE FROM items_fts WHERE rowid = old.id;
END;
"""
