"""`shoebox settings`, called as the command is."""

from pathlib import Path

import pytest

from appliance import cli
from appliance.library import database
from appliance.settings import SETTINGS, table


@pytest.fixture
def library(data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of an empty library, and an environment without settings."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.environment, raising=False)
    database.migrate(data / "library.db")
    return str(data)


def test_list_tells_every_value_and_where_it_comes_from(
    library: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_MAX_RETRIES", "5")
    assert cli.main(["settings", "set", "photos_at", "3:30", "--data", library]) == 0
    assert capsys.readouterr().out == "photos_at is '03:30' from now on.\n"
    assert cli.main(["settings", "list", "--data", library]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == [setting.name for setting in SETTINGS]
    assert lines["photos_at"].split()[1:3] == ["03:30", "page"]
    assert lines["attempts"].split()[1:3] == ["5", "environment"]
    assert lines["beams"].split()[1:3] == ["0", "default"]
    assert lines["data"].split()[1:4] == [library, "command", "line"]
    assert all(setting.help in lines[setting.name] for setting in SETTINGS)


def test_get_prints_the_value_alone(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings", "set", "scheduled_processing", "off", "--data", library]) == 0
    capsys.readouterr()
    assert cli.main(["settings", "get", "scheduled_processing", "--data", library]) == 0
    assert capsys.readouterr().out == "false\n"


def test_a_wrong_value_is_refused_with_its_range_and_the_old_one_stays(
    library: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["settings", "set", "batch_size", "0", "--data", library]) == 2
    assert "from 1 to 100000" in capsys.readouterr().err
    assert cli.main(["settings", "get", "batch_size", "--data", library]) == 0
    assert capsys.readouterr().out == "500\n"


def test_a_value_that_contradicts_another_is_refused(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings", "set", "rest_below", "85", "--data", library]) == 2
    assert "from 30 to 79: the rest begins above 80." in capsys.readouterr().err
    assert cli.main(["settings", "set", "rest_above", "90", "--data", library]) == 0
    assert cli.main(["settings", "set", "rest_below", "85", "--data", library]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["set", "port", "81"], "SHOEBOX_PORT"),
        (["set", "colour", "red"], "no setting called colour"),
        (["get", "colour"], "no setting called colour"),
    ],
)
def test_what_cannot_be(library: str, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert cli.main(["settings", *arguments, "--data", library]) == 2
    assert said in capsys.readouterr().err


def test_without_a_library_the_settings_can_be_read_but_not_set(
    tmp_path: Path, library: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert cli.main(["settings", "get", "beams", "--data", nowhere]) == 0
    assert capsys.readouterr().out == "0\n"
    assert cli.main(["settings", "set", "beams", "2", "--data", nowhere]) == 1
    assert "There is no library" in capsys.readouterr().err
    assert not Path(nowhere).exists()


def test_markdown_is_readmes_table(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings", "list", "--markdown"]) == 0
    assert capsys.readouterr().out == table() + "\n"
