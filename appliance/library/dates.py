"""When something was taken, where a person knows it better than the file."""

from appliance.library.database import Connection, transaction


def change(db: Connection, item_id: int, taken_at: str | None) -> None:
    """Set when an item was taken (ISO 8601, None: not known); what the file says stays known beside it."""
    with transaction(db):
        db.execute(
            "UPDATE items SET taken_at = ?, dated = file_taken_at IS NOT ? WHERE id = ?", (taken_at, taken_at, item_id)
        )


def take_back(db: Connection, item_id: int) -> None:
    """Let an item have the date that its file says."""
    with transaction(db):
        db.execute("UPDATE items SET taken_at = file_taken_at, dated = 0 WHERE id = ?", (item_id,))
