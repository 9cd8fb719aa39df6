"""Access keys: what programs show to be let in (`Authorization: Bearer KEY`), each with its scopes.

Only a key's hash is kept. That it is used is written at most once an hour.
"""

import secrets
import time
from collections.abc import Collection
from typing import Any

from appliance.errors import AccountError, LibraryError, NotFoundError
from appliance.library.database import Connection, row_id, transaction
from appliance.library.sessions import hash_of
from appliance.records import AccessKey, Scope

PREFIX = "shoebox_"  # by which a key that got where it should not be can be told
LONGEST_NAME = 60
_NOTED_EVERY_SECONDS = 3600.0


def create(
    db: Connection,
    name: str,
    scopes: Collection[Scope],
    *,
    account_id: int | None = None,
    expires_at: float | None = None,
    now: float | None = None,
) -> str:
    """Make a key, for the account's holder where one is named, and return it: it cannot be shown again.

    Raises AccountError where it has no name or may do nothing.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError(
            "This key has no name that can be used.",
            "Name it in at most {longest_name} letters.",
            longest_name=LONGEST_NAME,
        )
    if not scopes:
        raise AccountError("This key may do nothing.", "Choose at least one of {scope}.", scope=", ".join(Scope))
    key = PREFIX + secrets.token_urlsafe(32)
    with transaction(db):
        db.execute(
            "INSERT INTO access_keys (key_hash, account_id, name, scopes, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                hash_of(key), account_id, name, ",".join(scope for scope in Scope if scope in scopes),
                time.time() if now is None else now, expires_at,
            ),
        )  # fmt: skip
    return key


def find(db: Connection, key: str, *, now: float | None = None) -> AccessKey | None:
    """Return a key; None where it is unknown, revoked or over, or its account is disabled."""
    now = time.time() if now is None else now
    row = db.execute(
        "SELECT * FROM access_keys WHERE key_hash = ? AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > ?)"
        " AND (account_id IS NULL OR EXISTS"
        " (SELECT 1 FROM accounts WHERE accounts.id = account_id AND disabled_at IS NULL))",
        (hash_of(key), now),
    ).fetchone()
    if row is None:
        return None
    if row["used_at"] is None or now - row["used_at"] >= _NOTED_EVERY_SECONDS:
        _note(db, row["id"], now)
    return _key(row)


def every(db: Connection) -> list[AccessKey]:
    """Return the keys that were not revoked, the newest first."""
    rows = db.execute("SELECT * FROM access_keys WHERE revoked_at IS NULL ORDER BY id DESC")
    return [_key(row) for row in rows]


def revoke(db: Connection, key_id: int, *, now: float | None = None) -> None:
    """Let a key open nothing any more; raise NotFoundError where there is none of that number."""
    with transaction(db):
        changed = db.execute(
            "UPDATE access_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
            (time.time() if now is None else now, row_id(key_id)),
        )
        if changed.rowcount == 0:
            raise NotFoundError("There is no such access key.", "Look at the list of keys again.")


def forget(db: Connection, key: str) -> None:
    """Remove a key as if it had never been made: for one that nobody was given."""
    with transaction(db):
        db.execute("DELETE FROM access_keys WHERE key_hash = ?", (hash_of(key),))


def scopes_of(text: str) -> frozenset[Scope]:
    """Return the scopes named with commas between them; raise AccountError for a word that is none."""
    words = {word.strip() for word in text.split(",")} - {""}
    unknown = sorted(words - set(Scope))
    if unknown:
        raise AccountError(
            "There is no scope {unknown}.", "Use any of {scope}.", unknown=repr(unknown[0][:40]), scope=", ".join(Scope)
        )
    return frozenset(Scope(word) for word in words)


def _key(row: Any) -> AccessKey:
    fields = {name: row[name] for name in row.keys() if name != "key_hash"}
    return AccessKey(**{**fields, "scopes": frozenset(Scope(word) for word in row["scopes"].split(","))})


def _note(db: Connection, key_id: int, now: float) -> None:
    try:
        with transaction(db):
            db.execute("UPDATE access_keys SET used_at = ? WHERE id = ?", (now, key_id))
    except LibraryError:  # a full disk or a busy library keeps nobody out; the next request notes it
        return
