"""Links for people who shall send files in and nothing else: each has an end, and can be ended before it.

Of a link's token, which stands in its address, only the hash is kept.
"""

import secrets
import time
from typing import Any

from appliance.errors import AccountError, LibraryError, NotFoundError
from appliance.library.database import Connection, row_id, transaction
from appliance.library.sessions import hash_of
from appliance.records import Link

LONGEST_NAME = 60
LONGEST_DAYS = 365


def create(db: Connection, name: str, days: int, *, now: float | None = None) -> str:
    """Make a link that works for `days` and return its token: it cannot be shown again.

    Raises AccountError where it has no name, or no end within a year.
    """
    now = time.time() if now is None else now
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError(
            "This link has no name that can be used.",
            "Say in at most {longest_name} letters whom it is for.",
            longest_name=LONGEST_NAME,
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise AccountError(
            "A link cannot work for so long.", "Choose from 1 to {longest_days} days.", longest_days=LONGEST_DAYS
        )
    token = secrets.token_urlsafe(24)
    with transaction(db):
        db.execute(
            "INSERT INTO links (token_hash, name, created_at, expires_at) VALUES (?, ?, ?, ?)",
            (hash_of(token), name, now, now + days * 86400.0),
        )
    return token


def find(db: Connection, token: str, *, now: float | None = None) -> Link | None:
    """Return the link of a token; None where it is unknown, ended or over. The token is too long to be guessed."""
    row = db.execute(
        "SELECT * FROM links WHERE token_hash = ? AND revoked_at IS NULL AND expires_at > ?",
        (hash_of(token), time.time() if now is None else now),
    ).fetchone()
    return None if row is None else _link(row)


def every(db: Connection, *, now: float | None = None) -> list[Link]:
    """Return the links that work, the newest first."""
    rows = db.execute(
        "SELECT * FROM links WHERE revoked_at IS NULL AND expires_at > ? ORDER BY id DESC",
        (time.time() if now is None else now,),
    )
    return [_link(row) for row in rows]


def revoke(db: Connection, link_id: int, *, now: float | None = None) -> None:
    """Let a link open nothing any more; raise NotFoundError where there is none of that number."""
    with transaction(db):
        changed = db.execute(
            "UPDATE links SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
            (time.time() if now is None else now, row_id(link_id)),
        )
        if changed.rowcount == 0:
            raise NotFoundError("There is no such link.", "Look at the list of links again.")


def note(db: Connection, link_id: int, files: int) -> None:
    """Count the files that came by a link."""
    try:
        with transaction(db):
            db.execute("UPDATE links SET files = files + ? WHERE id = ?", (files, link_id))
    except LibraryError:  # the files are in, whatever becomes of their number
        return


def _link(row: Any) -> Link:
    return Link(row["id"], row["name"], row["created_at"], row["expires_at"], row["files"])
