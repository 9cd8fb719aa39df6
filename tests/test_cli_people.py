"""`shoebox key` and `shoebox account`."""

from pathlib import Path

import pytest

from appliance import cli
from appliance.library import access_keys, accounts, database, sessions
from appliance.records import Role, Scope


def test_a_key_is_made_on_a_fresh_folder_listed_and_revoked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["key", "new", "--data", str(data), "--name", "Printer", "--scope", "read, upload"]) == 0
    key = capsys.readouterr().out.strip()
    db = database.connect(data / "library.db")
    found = access_keys.find(db, key)
    assert found is not None
    assert found.scopes == {Scope.READ, Scope.UPLOAD}
    assert cli.main(["key", "list", "--data", str(data)]) == 0
    listed = capsys.readouterr().out
    assert "Printer" in listed
    assert "upload,read" in listed
    assert key not in listed
    assert cli.main(["key", "revoke", str(found.id), "--data", str(data)]) == 0
    assert access_keys.find(db, key) is None
    db.close()


def test_a_wrong_scope_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["key", "new", "--data", str(data), "--name", "Printer", "--scope", "all"]) == 1
    assert "upload, read, write, admin" in capsys.readouterr().err


def test_a_reset_gives_a_new_password_and_signs_out(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["key", "new", "--data", str(data), "--name", "Printer"])
    db = database.connect(data / "library.db")
    anna = accounts.create(db, "Anna", Role.OWNER, "three short words")
    token = sessions.begin(db, anna.id, "phone")
    capsys.readouterr()
    assert cli.main(["account", "reset", "anna", "--data", str(data)]) == 0
    password = capsys.readouterr().out.split()[-1]
    assert accounts.verify(db, "Anna", password) == anna
    assert accounts.verify(db, "Anna", "three short words") is None
    assert sessions.find(db, token) is None
    assert cli.main(["account", "list", "--data", str(data)]) == 0
    assert capsys.readouterr().out.split() == ["Anna", "owner"]
    assert cli.main(["account", "reset", "nobody", "--data", str(data)]) == 1
    db.close()
