"""What owners do with people, links and keys, for the form and for the API alike."""

import time
from collections.abc import Collection
from typing import Any

from appliance.errors import AccountError
from appliance.library import access_keys, accounts, links, sessions
from appliance.library.database import Connection, instant, transaction
from appliance.records import Account, Role, Scope

DAY = 86400.0


def role_of(text: str) -> Role:
    """Return the role of that name; raise AccountError where there is none."""
    if text not in set(Role):
        raise AccountError("There is no such role.", "Choose one of {role}.", role=", ".join(Role))
    return Role(text)


def days_of(text: str) -> int:
    """Return a number of days, 0 for what is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def change(
    db: Connection, number: int, *, role: Role | None = None, password: str | None = None, disabled: bool | None = None
) -> None:
    """Change what is given of a person; a new password, and being kept out, sign them out everywhere."""
    with transaction(db):
        accounts.get(db, number)
        if password is not None:
            accounts.set_password(db, number, password)
            sessions.end_all(db, number)
        if role is not None:
            accounts.set_role(db, number, role)
        if disabled is not None:
            (accounts.disable if disabled else accounts.enable)(db, number)


def new_key(db: Connection, name: str, scopes: Collection[Scope], days: int | None) -> str:
    """Make an access key, with an end where `days` are given, and return it."""
    if days is not None and not 1 <= days <= 3650:
        raise AccountError(
            "A key cannot work for so long.", "Choose from 1 to 3650 days, or none for a key without end."
        )
    expires_at = None if days is None else time.time() + days * DAY
    return access_keys.create(db, name, scopes, expires_at=expires_at)


def person_json(db: Connection, account: Account) -> dict[str, Any]:
    """Return what the page and the API tell of a person."""
    seen = [one.seen_at for one in sessions.every(db, account.id)]
    return {
        "id": account.id,
        "name": account.name,
        "role": account.role.value,
        "since": account.created_at,
        "seen": instant(max(seen)) if seen else None,
        "disabled": account.disabled_at is not None,
    }


def people_json(db: Connection) -> list[dict[str, Any]]:
    """Return everybody, the oldest account first."""
    return [person_json(db, account) for account in accounts.every(db)]


def links_json(db: Connection) -> list[dict[str, Any]]:
    """Return the links that work, the newest first; without their tokens, which nobody knows any more."""
    return [
        {
            "id": link.id,
            "name": link.name,
            "since": instant(link.created_at),
            "until": instant(link.expires_at),
            "files": link.files,
        }
        for link in links.every(db)
    ]


def keys_json(db: Connection) -> list[dict[str, Any]]:
    """Return the access keys, the newest first; of a key that is over, too."""
    return [
        {
            "id": key.id,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "since": instant(key.created_at),
            "used": None if key.used_at is None else instant(key.used_at),
            "until": None if key.expires_at is None else instant(key.expires_at),
        }
        for key in access_keys.every(db)
    ]
