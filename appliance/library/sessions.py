"""Who is signed in, on which device. Of a session's token, which the browser keeps, only the hash is kept.

A session ends DAYS days after it was last used. That it is used is written at most once an hour: cards wear.
"""

import secrets
import time
from hashlib import sha256
from sqlite3 import Row

from appliance.errors import LibraryError
from appliance.library.database import Connection, transaction
from appliance.records import Session
from appliance.sentences import Sentence, kept

DAYS = 90
_LASTS_SECONDS = DAYS * 86400.0
_NOTED_EVERY_SECONDS = 3600.0
_LONGEST_DEVICE = 100


def begin(db: Connection, account_id: int, device: str, *, now: float | None = None) -> str:
    """Sign an account in on a device (a few words for its list of sessions) and return the session's token."""
    now = time.time() if now is None else now
    token = secrets.token_urlsafe(32)
    told = kept(device) if isinstance(device, Sentence) else device[:_LONGEST_DEVICE]
    with transaction(db):
        db.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
        db.execute(
            "INSERT INTO sessions (token_hash, account_id, device, created_at, seen_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (hash_of(token), account_id, told, now, now, now + _LASTS_SECONDS),
        )
    return token


def find(db: Connection, token: str, *, now: float | None = None) -> Session | None:
    """Return the session of a token and prolong it; None where it is over, unknown or its account is disabled."""
    now = time.time() if now is None else now
    row = db.execute(
        "SELECT * FROM sessions WHERE token_hash = ? AND expires_at > ?"
        " AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = account_id AND disabled_at IS NULL)",
        (hash_of(token), now),
    ).fetchone()
    if row is None:
        return None
    if now - row["seen_at"] >= _NOTED_EVERY_SECONDS:
        _note(db, row["token_hash"], now)
    return _session(row)


def every(db: Connection, account_id: int, *, now: float | None = None) -> list[Session]:
    """Return an account's sessions that are not over, the one last used first."""
    rows = db.execute(
        "SELECT * FROM sessions WHERE account_id = ? AND expires_at > ? ORDER BY seen_at DESC, token_hash",
        (account_id, time.time() if now is None else now),
    )
    return [_session(row) for row in rows]


def end(db: Connection, token_hash: str) -> None:
    """Sign out one session."""
    with transaction(db):
        db.execute("DELETE FROM sessions WHERE token_hash = ?", (token_hash,))


def end_all(db: Connection, account_id: int, *, but: str | None = None) -> int:
    """Sign an account out everywhere, but for the session with the hash `but`; return how many sessions ended."""
    with transaction(db):
        return db.execute(
            "DELETE FROM sessions WHERE account_id = ? AND token_hash IS NOT ?", (account_id, but)
        ).rowcount


def hash_of(token: str) -> str:
    """Return the hash that a token is kept by; it is too long to be guessed, so a fast hash is enough."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _session(row: Row) -> Session:
    return Session(**{**dict(row), "device": Sentence.read(row["device"])})


def _note(db: Connection, token_hash: str, now: float) -> None:
    try:
        with transaction(db):
            db.execute(
                "UPDATE sessions SET seen_at = ?, expires_at = ? WHERE token_hash = ?",
                (now, now + _LASTS_SECONDS, token_hash),
            )
    except LibraryError:  # a full disk or a busy library keeps nobody out; the next request notes it
        return
