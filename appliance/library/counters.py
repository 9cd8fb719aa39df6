"""What is counted over the box's whole life: a write each time something happens, and none while nothing does."""

from appliance.library.database import Connection, transaction

CHILD_RESTARTS = "child-restarts:"  # and the reason for which the process that describes was ended or died


def add(db: Connection, name: str) -> None:
    """Count one more."""
    with transaction(db):
        db.execute(
            "INSERT INTO counters (name, count) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET count = count + 1",
            (name,),
        )


def counts(db: Connection, prefix: str) -> dict[str, int]:
    """Return the counts whose names begin with `prefix`, by what follows it."""
    rows = db.execute("SELECT name, count FROM counters ORDER BY name")
    return {row["name"].removeprefix(prefix): row["count"] for row in rows if row["name"].startswith(prefix)}
