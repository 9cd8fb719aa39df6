"""An item's status: what its newest jobs say, and nothing else."""

from dataclasses import dataclass

from appliance.library.database import Connection, transaction
from appliance.records import Status

# The status that follows from an item's newest jobs; the truth is theirs.
_EXPECTED = """
    CASE (SELECT state FROM jobs WHERE item_id = items.id AND task = 'describe' ORDER BY id DESC LIMIT 1)
      WHEN 'queued' THEN 'pending'
      WHEN 'running' THEN 'processing'
      WHEN 'done' THEN 'completed'
      WHEN 'failed' THEN 'failed'
      ELSE iif((SELECT state FROM jobs WHERE item_id = items.id AND task = 'prepare' ORDER BY id DESC LIMIT 1)
               = 'failed', 'failed', 'pending')
    END
"""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item whose status is not what its jobs say."""

    item_id: int
    status: Status
    expected: Status


def disagreements(db: Connection) -> list[Disagreement]:
    """Return the items whose status does not follow from their newest jobs; in a sound library there are none."""
    rows = db.execute(
        f"SELECT id, status, expected FROM (SELECT id, status, {_EXPECTED} AS expected FROM items)"  # noqa: S608
        " WHERE status <> expected ORDER BY id"
    )
    return [Disagreement(row["id"], Status(row["status"]), Status(row["expected"])) for row in rows]


def mend(db: Connection) -> int:
    """Give each item the status that its jobs say, and return how many had another."""
    with transaction(db):
        wrong = disagreements(db)
        for one in wrong:
            settle(db, one.item_id)
    return len(wrong)


def settle(db: Connection, item_id: int) -> None:
    """Give the item the status that its jobs say, and its error; the page hears of it in any case."""
    db.execute(
        f"UPDATE items SET status = {_EXPECTED} WHERE id = ?",  # noqa: S608
        (item_id,),
    )
    db.execute(
        """
        UPDATE items SET error = iif(status = 'failed', (
          SELECT error FROM jobs WHERE item_id = items.id AND state = 'failed' ORDER BY id DESC LIMIT 1
        ), NULL) WHERE id = ?
        """,
        (item_id,),
    )


def set_status(db: Connection, item_id: int, status: Status, error: str | None = None) -> None:
    """Give the item a status; nothing is written where it has it already."""
    db.execute(
        "UPDATE items SET status = ?, error = ? WHERE id = ? AND (status, error) IS NOT (?, ?)",
        (status, error, item_id, status, error),
    )
