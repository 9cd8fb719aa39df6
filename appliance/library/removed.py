"""What was removed from the library for good, for the pages that show it still."""

from dataclasses import dataclass

from appliance.library.database import Connection


@dataclass(frozen=True, slots=True)
class Removed:
    """The ids of items that are gone; `complete` is false where there were more than are remembered."""

    ids: list[int]
    complete: bool


def between(db: Connection, since: int, until: int) -> Removed:
    """Return what was removed after the revision `since`, up to `until`."""
    rows = db.execute(
        "SELECT item_id FROM removed WHERE revision > ? AND revision <= ? ORDER BY revision", (since, until)
    ).fetchall()
    oldest = db.execute("SELECT place, revision FROM removed ORDER BY place LIMIT 1").fetchone()
    # Where the first ones have been forgotten, whoever knows less than the oldest that is remembered missed some.
    forgotten = oldest is not None and oldest["place"] > 1 and since < oldest["revision"] - 1
    return Removed([row["item_id"] for row in rows], not forgotten)
