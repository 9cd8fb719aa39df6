"""What was described when: by the hour, and by the night. Triggers keep it, so that no page counts 100,000 rows."""

from appliance.records import Priority

SQL = f"""
-- Descriptions by models in each hour of UTC (`2026-05-03T14`), and the milliseconds that they took.
CREATE TABLE hours (
  hour TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO hours SELECT substr(created_at, 1, 13), count(*), sum(coalesce(milliseconds, 0)) FROM descriptions
WHERE source = 'model' GROUP BY 1;
CREATE TRIGGER hours_described AFTER INSERT ON descriptions WHEN new.source = 'model' BEGIN
  INSERT INTO hours VALUES (substr(new.created_at, 1, 13), 1, coalesce(new.milliseconds, 0))
  ON CONFLICT (hour) DO UPDATE SET count = count + 1, milliseconds = milliseconds + excluded.milliseconds;
END;

-- A nightly batch: the night, how many it asked for, and what became of them. The rest was left for the next night.
CREATE TABLE nights (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  night TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('photo', 'video')),
  asked INTEGER NOT NULL,
  described INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX nights_kind ON nights (kind, id);
CREATE TRIGGER nights_done AFTER UPDATE OF state ON jobs
WHEN new.task = 'describe' AND new.priority = {Priority.NIGHTLY:d} AND old.state IN ('queued', 'running')
  AND new.state IN ('done', 'failed')
BEGIN
  UPDATE nights SET described = described + (new.state = 'done'), failed = failed + (new.state = 'failed')
  WHERE id = (
    SELECT max(id) FROM nights WHERE kind = (SELECT kind FROM items WHERE items.id = new.item_id)
  );
END;
"""  # noqa: S608

# Which night asked for a job: its priority does not tell, as somebody may have made it more urgent in the meantime.
NIGHT_OF_A_JOB = f"""
ALTER TABLE jobs ADD COLUMN night INTEGER REFERENCES nights;
UPDATE jobs SET night = (
  SELECT max(id) FROM nights WHERE kind = (SELECT kind FROM items WHERE items.id = jobs.item_id)
) WHERE task = 'describe' AND priority = {Priority.NIGHTLY:d} AND state IN ('queued', 'running');
DROP TRIGGER nights_done;
CREATE TRIGGER nights_done AFTER UPDATE OF state ON jobs
WHEN new.night IS NOT NULL AND old.state IN ('queued', 'running') AND new.state IN ('done', 'failed')
BEGIN
  UPDATE nights SET described = described + (new.state = 'done'), failed = failed + (new.state = 'failed')
  WHERE id = new.night;
END;
"""  # noqa: S608
