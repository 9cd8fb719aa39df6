"""The tally that triggers keep of the library: how many items there are of each month, kind and status."""

from appliance.library.database import Connection
from appliance.library.wanted import Wanted
from appliance.records import Status

_UNKNOWN = ("q", "tag", "described_by")


def knows(wanted: Wanted) -> bool:
    """Return whether the tally can tell how much of this there is."""
    return all(wanted.get(name) is None for name in _UNKNOWN)


def count(db: Connection, wanted: Wanted) -> int:
    """Return how many items there are of what is wanted."""
    where, values = _conditions(wanted)
    return int(db.execute(f"SELECT coalesce(sum(count), 0) FROM tally WHERE {where}", values).fetchone()[0])  # noqa: S608


def months(db: Connection, wanted: Wanted) -> list[tuple[str, int]]:
    """Return the months of what is wanted, the newest first, and how many items each has."""
    where, values = _conditions(wanted)
    rows = db.execute(
        f"SELECT month, sum(count) FROM tally WHERE {where} GROUP BY month HAVING sum(count) > 0 ORDER BY month DESC",  # noqa: S608
        values,
    )
    return [(row[0], row[1]) for row in rows]


def commonest_tags(db: Connection, most: int) -> list[str]:
    """Return the tags that most items have, the commonest first, each with something to be shown of it."""
    # All that has a tag may be in the trash: one look for each tag is enough, where a second tally would follow it.
    rows = db.execute(
        """
        SELECT text FROM tag_tally WHERE EXISTS (
          SELECT 1 FROM tags CROSS JOIN items ON items.id = item_id
          WHERE tags.text = tag_tally.text AND trashed_at IS NULL AND live_of IS NULL
        ) ORDER BY count DESC, text LIMIT ?
        """,
        (most,),
    )
    return [row[0] for row in rows]


def by_status(db: Connection) -> dict[Status, int]:
    """Return how many items have each status, the trash left out."""
    found = dict.fromkeys(Status, 0)
    for status, number in db.execute("SELECT status, sum(count) FROM tally WHERE trashed = 0 GROUP BY status"):
        found[Status(status)] = number
    return found


def _conditions(wanted: Wanted) -> tuple[str, list[object]]:
    found, values = ["trashed = ?"], list[object]([bool(wanted.get("trashed"))])
    for name in ("status", "kind", "favourite"):
        value = wanted.get(name)
        if value is not None:
            found.append(f"{name} = ?")
            values.append(value)
    year = wanted.get("year")
    if year is not None:
        found.append("month >= ? AND month < ?")
        values += [f"{year:04}", f"{year:04}~"]
    return " AND ".join(found), values
