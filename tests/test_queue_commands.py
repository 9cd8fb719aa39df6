"""`shoebox queue`, `shoebox doctor` and what `shoebox status` says of a pause, on a real library."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance import cli
from appliance.errors import CaptionerError
from appliance.library import claims, database, items, notices, pause, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.records import Format, Kind, Status, Task
from appliance.work import doctor


@pytest.fixture
def db(data: Path) -> Iterator[Connection]:
    """A library with one picture, whose description failed."""
    database.migrate(data / "library.db")
    store = Store(data)
    store.prepare()
    with closing(database.connect(data / "library.db")) as db:
        with store.receive() as incoming:
            incoming.write(b"picture")
            uploads.accept(db, store, incoming, "a.jpg", Format(Kind.PHOTO, "image/jpeg", "JPEG"), describe=True)
        folder = store.derived(items.get(db, 1).sha256)
        folder.mkdir(parents=True)
        for name in doctor.THUMBNAILS:
            (folder / name).touch()
        for task in (Task.PREPARE, Task.DESCRIBE):
            job = claims.claim_next(db, now=time.time(), lease=60)
            assert job is not None
            assert job.task is task
            if task is Task.PREPARE:
                claims.finish(db, job, now=time.time())
            else:
                claims.fail(db, job, "No.", now=time.time(), attempts_allowed=1, retry_delay=0, permanent=True)
        yield db


def shoebox(data: Path, *words: str) -> int:
    return cli.main([*words, "--data", str(data)])


def test_pause_and_resume(db: Connection, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shoebox(data, "queue", "pause") == 0
    assert pause.is_paused(db)
    capsys.readouterr()
    assert shoebox(data, "status") == 0
    assert "paused" in capsys.readouterr().out
    assert shoebox(data, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["paused"] is True
    assert shoebox(data, "queue", "resume") == 0
    assert not pause.is_paused(db)
    capsys.readouterr()
    assert shoebox(data, "status") == 0
    assert "paused" not in capsys.readouterr().out


def test_status_says_what_the_box_says_of_itself(
    db: Connection, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notices.put_up(db, "warm", "The box got too warm (82 °C) and takes a break.", "It goes on by itself below 75 °C.")
    assert shoebox(data, "status") == 0
    assert "takes a break. It goes on by itself below 75 °C.\n" in capsys.readouterr().out
    assert shoebox(data, "status", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["notices"]
    assert told["text"].startswith("The box got too warm")


def test_retry(db: Connection, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shoebox(data, "queue", "retry") == 0
    assert capsys.readouterr().out == "1 item is tried again.\n"
    assert items.get(db, 1).status is Status.PENDING


@pytest.mark.parametrize("words", [("queue", "pause"), ("queue", "resume"), ("queue", "retry"), ("doctor",)])
def test_a_folder_without_a_library_is_told_and_left_empty(
    data: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert shoebox(data, *words) == 1
    assert "There is no library" in capsys.readouterr().err
    assert list(data.iterdir()) == []


def test_the_doctor_s_exit_status_says_whether_anything_is_wrong(
    db: Connection, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shoebox(data, "doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS)
    assert all(line.startswith(("OK ", "NOTE ")) for line in lines)  # a note: on this machine, today
    db.execute("UPDATE items SET status = 'completed', prepared_at = added_at")
    assert shoebox(data, "doctor") == 1
    (wrong,) = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(("OK ", "NOTE "))]
    assert wrong.startswith("WRONG  statuses")
    assert "shoebox doctor --repair" in wrong
    assert shoebox(data, "doctor", "--repair") == 0
    assert items.get(db, 1).status is Status.FAILED


def test_the_doctor_tells_of_a_model_that_fails(
    db: Connection, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def describe(*_: object, **__: object) -> None:
        raise CaptionerError("It broke.", "Mend it.")

    monkeypatch.setattr(doctor.Child, "describe", describe)
    assert shoebox(data, "doctor") == 1
    assert "The model cannot be used: It broke. Mend it." in capsys.readouterr().out
