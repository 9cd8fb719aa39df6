"""`shoebox try`: a running box is sent a drawn scene, and keeps nothing of it."""

from contextlib import closing

import pytest

from appliance import cli, cli_try
from appliance.errors import CaptionerError
from appliance.library import database, pause
from box import Box, free_port


def test_a_box_that_describes_is_good_and_keeps_nothing(
    box: Box, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    box.start()
    place = ["--data", str(box.data), "--host", "127.0.0.1", "--port", str(box.port)]
    assert cli.main(["try", *place]) == 0
    assert capsys.readouterr().out == f"The scene was described by sample-int8: {cli_try.SAYS}\n"
    box.ask("POST", "/api/v1/uploads?name=shoebox-try.png", cli_try.scene())  # one that a power cut left behind
    assert cli.main(["try", *place]) == 0  # the same scene, which is no duplicate
    with closing(database.connect(box.data / "library.db")) as db:
        assert db.execute("SELECT count(*) FROM items").fetchone()[0] == 0
        assert db.execute("SELECT count(*) FROM access_keys WHERE name = 'shoebox try'").fetchone()[0] == 0
        pause.pause(db)
    assert not [path for path in (box.data / "originals").rglob("*") if path.is_file()]
    capsys.readouterr()
    # So that a release that cannot describe is not kept for that.
    assert cli.main(["try", *place]) == 0
    paused, said = capsys.readouterr().out.splitlines()
    assert "Describing is paused" in paused
    assert said == f"The scene was described by sample-int8: {cli_try.SAYS}"
    with monkeypatch.context() as broken, closing(database.connect(box.data / "library.db")) as db:
        broken.setattr("appliance.work.child.Child.describe", _breaks)
        assert cli.main(["try", *place]) == 1
        assert pause.is_paused(db)
        assert db.execute("SELECT count(*) FROM items").fetchone()[0] == 0
    assert "shoebox: It broke." in capsys.readouterr().err


def _breaks(*_: object) -> None:
    raise CaptionerError("It broke.")


def test_a_page_that_is_not_there_is_said(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--data", str(box.data), "--host", "127.0.0.1", "--port", str(free_port())]
    assert cli.main(["try", *place, "--seconds", "1"]) == 1
    assert "shoebox: The page does not take photos in: " in capsys.readouterr().err
