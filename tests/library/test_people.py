"""Accounts, sessions and access keys: what is kept of them, and whom they let in."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.errors import AccountError, NotFoundError
from appliance.library import access_keys, accounts, database, sessions
from appliance.library.database import Connection
from appliance.records import Role, Scope

PASSWORD = "three short words"  # noqa: S105 - of nobody
DAY = 86400.0


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    database.migrate(tmp_path / "library.db")
    with closing(database.connect(tmp_path / "library.db")) as db:
        yield db


def written(db: Connection) -> int:
    return int(db.execute("SELECT total_changes()").fetchone()[0])


def test_a_password_opens_its_own_account_only_and_is_kept_as_an_argon2id_hash(db: Connection) -> None:
    anna = accounts.create(db, " Anna ", Role.OWNER, PASSWORD)
    accounts.create(db, "Ben", Role.MEMBER, "another password")
    assert accounts.verify(db, "anna", PASSWORD) == anna
    assert accounts.verify(db, "Ben", PASSWORD) is None
    assert accounts.verify(db, "Nobody", PASSWORD) is None
    assert accounts.verify(db, "Anna", "x" * 100_000) is None
    kept = db.execute("SELECT password_hash FROM accounts WHERE name = 'Anna'").fetchone()[0]
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in "\n".join(db.iterdump())
    accounts.set_password(db, anna.id, "quite another one")
    assert accounts.verify(db, "Anna", PASSWORD) is None
    assert accounts.verify(db, "Anna", "quite another one") == anna


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "two\nlines", "ANNA"])
def test_a_name_that_cannot_be_used_is_refused(db: Connection, name: str) -> None:
    accounts.create(db, "Anna", Role.OWNER, PASSWORD)
    with pytest.raises(AccountError):
        accounts.create(db, name, Role.MEMBER, PASSWORD)
    assert len(accounts.every(db)) == 1


@pytest.mark.parametrize("password", ["", "seven77", "x" * 201])
def test_a_password_that_cannot_be_used_is_refused(db: Connection, password: str) -> None:
    with pytest.raises(AccountError):
        accounts.create(db, "Anna", Role.OWNER, password)
    assert not accounts.exist(db)


def test_the_first_owner_is_made_once(db: Connection) -> None:
    assert accounts.create_first(db, "Anna", PASSWORD).role is Role.OWNER
    with pytest.raises(AccountError):
        accounts.create_first(db, "Mallory", PASSWORD)
    assert [account.name for account in accounts.every(db)] == ["Anna"]


def test_the_last_owner_cannot_be_taken_away(db: Connection) -> None:
    anna = accounts.create(db, "Anna", Role.OWNER, PASSWORD)
    ben = accounts.create(db, "Ben", Role.OWNER, PASSWORD)
    accounts.disable(db, ben.id)
    for take_away in (
        lambda: accounts.remove(db, anna.id),
        lambda: accounts.disable(db, anna.id),
        lambda: accounts.set_role(db, anna.id, Role.MEMBER),
    ):
        with pytest.raises(AccountError):
            take_away()
    assert accounts.get(db, anna.id) == anna
    accounts.enable(db, ben.id)
    accounts.set_role(db, anna.id, Role.MEMBER)
    accounts.remove(db, anna.id)
    with pytest.raises(NotFoundError):
        accounts.get(db, anna.id)


def test_a_session_lasts_while_it_is_used_and_is_written_once_an_hour(db: Connection) -> None:
    anna = accounts.create(db, "Anna", Role.OWNER, PASSWORD)
    token = sessions.begin(db, anna.id, "A phone", now=0.0)
    assert token not in "\n".join(db.iterdump())
    before = written(db)
    assert sessions.find(db, token, now=3000.0)
    assert written(db) == before
    assert sessions.find(db, token, now=80 * DAY)
    assert written(db) == before + 1
    assert sessions.find(db, token, now=160 * DAY)
    assert sessions.find(db, token, now=251 * DAY) is None
    assert sessions.find(db, "another", now=160 * DAY) is None


def test_sessions_end_one_by_one_together_and_with_their_account(db: Connection) -> None:
    anna = accounts.create(db, "Anna", Role.OWNER, PASSWORD)
    ben = accounts.create(db, "Ben", Role.MEMBER, PASSWORD)
    first, second, third = (sessions.begin(db, anna.id, name) for name in ("phone", "tablet", "desk"))
    bens = sessions.begin(db, ben.id, "phone")
    sessions.end(db, sessions.hash_of(first))
    assert sessions.end_all(db, anna.id, but=sessions.hash_of(second)) == 1
    assert [bool(sessions.find(db, token)) for token in (first, second, third, bens)] == [False, True, False, True]
    assert [session.device for session in sessions.every(db, anna.id)] == ["tablet"]
    accounts.disable(db, ben.id)
    accounts.enable(db, ben.id)
    assert sessions.find(db, bens) is None


def test_a_key_opens_what_its_scopes_say_until_it_is_over_or_revoked(db: Connection) -> None:
    key = access_keys.create(db, "Printer", {Scope.WRITE, Scope.READ}, expires_at=100.0, now=0.0)
    found = access_keys.find(db, key, now=50.0)
    assert found is not None
    assert (found.name, found.scopes) == ("Printer", {Scope.READ, Scope.WRITE})
    assert key not in "\n".join(db.iterdump())
    before = written(db)
    assert access_keys.find(db, key, now=60.0)
    assert written(db) == before
    assert access_keys.find(db, key, now=100.0) is None
    lasting = access_keys.create(db, "Other", {Scope.UPLOAD})
    [number] = [one.id for one in access_keys.every(db) if one.name == "Other"]
    access_keys.revoke(db, number)
    assert access_keys.find(db, lasting) is None
    assert [one.name for one in access_keys.every(db)] == ["Printer"]
    with pytest.raises(NotFoundError):
        access_keys.revoke(db, number)


def test_a_key_ends_with_its_account(db: Connection) -> None:
    accounts.create(db, "Anna", Role.OWNER, PASSWORD)
    ben = accounts.create(db, "Ben", Role.MEMBER, PASSWORD)
    key = access_keys.create(db, "Ben’s script", {Scope.READ}, account_id=ben.id)
    accounts.disable(db, ben.id)
    assert access_keys.find(db, key) is None
    accounts.enable(db, ben.id)
    assert access_keys.find(db, key) is not None
    accounts.remove(db, ben.id)
    assert access_keys.find(db, key) is None


@pytest.mark.parametrize(("name", "scopes"), [("", "read"), ("a\nb", "read"), ("a", ""), ("a", "read,everything")])
def test_a_key_without_name_or_scopes_is_refused(db: Connection, name: str, scopes: str) -> None:
    with pytest.raises(AccountError):
        access_keys.create(db, name, access_keys.scopes_of(scopes))
