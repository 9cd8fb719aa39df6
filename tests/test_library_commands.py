"""`shoebox backup`, `restore` and `library`: what they do, what they print, and what they refuse."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from appliance import cli
from appliance.errors import StorageFullError
from appliance.library import backups, database, preferences
from appliance.library.store import Store


@pytest.fixture
def library(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a new library, on a box of its own."""
    monkeypatch.setenv("SHOEBOX_STATE", str(tmp_path / "state"))
    assert cli.main(["library", "new", "--data", str(data)]) == 0
    return data


def size(library: Path) -> object:
    """What the library says in the place of its content."""
    with closing(database.connect(library / "library.db")) as db:
        return preferences.stored(db).get("batch_size")


def shoebox(library: Path, *words: str) -> int:
    return cli.main([*words, "--data", str(library)])


def test_back_up_change_and_go_back(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shoebox(library, "settings", "set", "batch_size", "1")
    assert shoebox(library, "backup") == 0
    assert "Copy originals/ as well" in capsys.readouterr().out
    assert shoebox(library, "backup") == 0
    assert "Nothing has changed" in capsys.readouterr().out
    shoebox(library, "settings", "set", "batch_size", "2")
    assert shoebox(library, "restore") == 0
    out = capsys.readouterr().out
    assert str(backups.listed(library)[0]) in out
    assert "library.db.replaced-" in out
    assert size(library) == 1


def test_a_named_backup_is_restored_wherever_it_lies(library: Path, tmp_path: Path) -> None:
    shoebox(library, "settings", "set", "batch_size", "1")
    shoebox(library, "backup")
    copy = Path(shutil.move(backups.listed(library)[0], tmp_path / "stick.db"))
    shoebox(library, "settings", "set", "batch_size", "2")
    assert shoebox(library, "restore", str(copy)) == 0
    assert size(library) == 1


def test_no_backup_and_a_damaged_one_are_refused(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shoebox(library, "restore") == 1
    assert "There is no good backup" in capsys.readouterr().err
    shoebox(library, "settings", "set", "batch_size", "1")
    shoebox(library, "backup")
    backup = backups.listed(library)[0]
    os.truncate(backup, backup.stat().st_size // 2)
    for name in (str(backup), str(tmp_path / "none.db")):
        assert shoebox(library, "restore", name) == 1
        assert "cannot be restored" in capsys.readouterr().err
    assert size(library) == 1


def test_only_what_is_gone_is_begun_anew(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shoebox(library, "library", "new") == 1
    assert "holds a library" in capsys.readouterr().err
    shutil.rmtree(library)
    assert shoebox(library, "status") == 1
    assert "is not there" in capsys.readouterr().err
    assert shoebox(library, "library", "adopt") == 1
    assert "There is no library" in capsys.readouterr().err
    assert shoebox(library, "library", "new") == 0
    assert shoebox(library, "status") == 0


def test_a_database_that_is_missing_is_said_with_what_to_do(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (library / "library.db").unlink()
    assert shoebox(library, "status") == 1
    assert "is missing. Start Shoebox; it is then restored" in capsys.readouterr().err


def test_status_says_that_the_disk_takes_nothing(
    library: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store) -> None:
        raise StorageFullError("The card or disk is full.", "Make room.")

    monkeypatch.setattr(Store, "check", full)
    assert shoebox(library, "status") == 0
    assert "The card or disk is full. Make room." in capsys.readouterr().out
