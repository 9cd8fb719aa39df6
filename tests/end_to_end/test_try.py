"""`shoebox try`: a running box is sent a drawn scene, and keeps nothing of it."""

from contextlib import closing

import pytest

from appliance import cli, cli_try
from appliance.library import database, pause
from box import Box, free_port


def test_a_box_that_describes_is_good_and_keeps_nothing(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.start()
    place = ["--data", str(box.data), "--host", "127.0.0.1", "--port", str(box.port)]
    assert cli.main(["try", *place]) == 0
    assert capsys.readouterr().out == f"The scene was described by sample-int8: {cli_try.SAYS}\n"
    assert cli.main(["try", *place]) == 0  # the same scene, which is no duplicate
    with closing(database.connect(box.data / "library.db")) as db:
        assert db.execute("SELECT count(*) FROM items").fetchone()[0] == 0
        assert db.execute("SELECT count(*) FROM access_keys WHERE name = 'shoebox try'").fetchone()[0] == 0
        pause.pause(db)
    assert not [path for path in (box.data / "originals").rglob("*") if path.is_file()]
    capsys.readouterr()
    assert cli.main(["try", *place]) == 0
    assert "Describing is paused" in capsys.readouterr().out


def test_a_page_that_is_not_there_is_said(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--data", str(box.data), "--host", "127.0.0.1", "--port", str(free_port())]
    assert cli.main(["try", *place, "--seconds", "1"]) == 1
    assert "shoebox: The page does not take photos in: " in capsys.readouterr().err
