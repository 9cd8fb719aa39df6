"""The people who may sign in. Of a password only its argon2id hash is kept."""

import threading
import unicodedata
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.errors import AccountError, NotFoundError
from appliance.library.database import Connection, instant, row_id, transaction
from appliance.records import Account, Role

LONGEST_NAME = 40
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200

# 19 MiB and two passes, the least that OWASP advises: a board with 512 MiB has no more to give to a login.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 << 10, parallelism=1)
_ONE_AT_A_TIME = threading.Lock()  # however many try at once, one hash's memory is taken
_UNKNOWN: list[str] = []  # the hash that unknown names are checked against, once it was made


def create(db: Connection, name: str, role: Role, password: str, *, now: float | None = None) -> Account:
    """Add an account and return it; raise AccountError where its name is taken or name or password cannot be used."""
    name = checked_name(name)
    hashed = _hash(checked_password(password))
    with transaction(db):
        if find(db, name) is not None:
            raise AccountError("There is already somebody called {name}.", "Choose another name.", name=name)
        row = db.execute(
            "INSERT INTO accounts (name, role, password_hash, created_at) VALUES (?, ?, ?, ?) RETURNING *",
            (name, Role(role), hashed, instant(now)),
        ).fetchone()
    return _account(row)


def create_first(db: Connection, name: str, password: str) -> Account:
    """Add the owner of a box that has no account yet; raise AccountError where somebody was faster."""
    with transaction(db):
        if exist(db):
            raise AccountError("This box has an owner already.", "Sign in with the owner’s name and password.")
        return create(db, name, Role.OWNER, password)


def find(db: Connection, name: str) -> Account | None:
    """Return the account of that name, in small or large letters; None where there is none."""
    row = db.execute("SELECT * FROM accounts WHERE name = ?", (_tidy(name),)).fetchone()
    return None if row is None else _account(row)


def get(db: Connection, account_id: int) -> Account:
    """Return an account by its number; raise NotFoundError where it is gone."""
    row = db.execute("SELECT * FROM accounts WHERE id = ?", (row_id(account_id),)).fetchone()
    if row is None:
        raise NotFoundError("This account is gone.", "Look at the list of people again.")
    return _account(row)


def named(db: Connection, name: str) -> Account:
    """Return the account of that name; raise NotFoundError where there is none."""
    account = find(db, name)
    if account is None:
        raise NotFoundError("There is nobody called {name}.", "`shoebox account list` names everybody.", name=name)
    return account


def every(db: Connection) -> list[Account]:
    """Return all accounts, the oldest first."""
    return [_account(row) for row in db.execute("SELECT * FROM accounts ORDER BY id")]


def exist(db: Connection) -> bool:
    """Return whether the box has an account: before that nobody has made the first visit."""
    return db.execute("SELECT 1 FROM accounts LIMIT 1").fetchone() is not None


def verify(db: Connection, name: str, password: str) -> Account | None:
    """Return the account that this name and password sign in to, None where they do not.

    It takes as long for a name that there is not as for a wrong password.
    """
    row = db.execute("SELECT * FROM accounts WHERE name = ?", (_tidy(name),)).fetchone()
    if len(password) > LONGEST_PASSWORD:
        return None
    right = _is_right(_unknown() if row is None else row["password_hash"], password)
    return _account(row) if right and row is not None and row["disabled_at"] is None else None


def set_password(db: Connection, account_id: int, password: str) -> None:
    """Give an account another password; its sessions go on until they are ended."""
    hashed = _hash(checked_password(password))
    with transaction(db):
        get(db, account_id)
        db.execute("UPDATE accounts SET password_hash = ? WHERE id = ?", (hashed, account_id))


def set_role(db: Connection, account_id: int, role: Role) -> None:
    """Make an account an owner or a member; raise AccountError where no owner would be left."""
    with transaction(db):
        if role is not Role.OWNER:
            _spare_last_owner(db, account_id)
        db.execute("UPDATE accounts SET role = ? WHERE id = ?", (role, get(db, account_id).id))


def disable(db: Connection, account_id: int) -> None:
    """Keep an account from signing in, and end its sessions; raise AccountError where no owner would be left."""
    with transaction(db):
        _spare_last_owner(db, account_id)
        db.execute("UPDATE accounts SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL", (instant(), account_id))
        db.execute("DELETE FROM sessions WHERE account_id = ?", (account_id,))


def enable(db: Connection, account_id: int) -> None:
    """Let a disabled account sign in again."""
    with transaction(db):
        db.execute("UPDATE accounts SET disabled_at = NULL WHERE id = ?", (get(db, account_id).id,))


def remove(db: Connection, account_id: int) -> None:
    """Remove an account with its sessions and keys; raise AccountError where no owner would be left."""
    with transaction(db):
        _spare_last_owner(db, account_id)
        db.execute("DELETE FROM accounts WHERE id = ?", (account_id,))


def checked_name(name: str) -> str:
    """Return a name without spaces around it; raise AccountError where it cannot be one."""
    name = _tidy(name)
    if not name:
        raise AccountError("There is no name.", "Type a name.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError(
            "This name cannot be used.", "Use at most {longest_name} letters in one line.", longest_name=LONGEST_NAME
        )
    return name


def checked_password(password: str) -> str:
    """Return the password; raise AccountError where it is too short or too long."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(
            "This password is too short.",
            "Use at least {shortest_password} characters; three words are good.",
            shortest_password=SHORTEST_PASSWORD,
        )
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(
            "This password is too long.",
            "Use at most {longest_password} characters.",
            longest_password=LONGEST_PASSWORD,
        )
    return password


def _tidy(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split(" "))).strip()


def _account(row: Any) -> Account:
    return Account(row["id"], row["name"], Role(row["role"]), row["created_at"], row["disabled_at"])


def _spare_last_owner(db: Connection, account_id: int) -> None:
    account = get(db, account_id)
    others = db.execute(
        "SELECT 1 FROM accounts WHERE role = 'owner' AND disabled_at IS NULL AND id <> ? LIMIT 1", (account_id,)
    ).fetchone()
    if account.role is Role.OWNER and account.disabled_at is None and others is None:
        raise AccountError(
            "{name} is the only owner of this box.", "Make somebody else an owner first.", name=account.name
        )


def _hash(password: str) -> str:
    with _ONE_AT_A_TIME:
        return _HASHER.hash(_bytes(password))


def _is_right(hashed: str, password: str) -> bool:
    with _ONE_AT_A_TIME:
        try:
            return _HASHER.verify(hashed, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    """Return what is hashed: the same for every keyboard's way to write an ä."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _unknown() -> str:
    if not _UNKNOWN:
        _UNKNOWN.append(_hash("nobody’s password"))
    return _UNKNOWN[0]
