"""Every setting's type and range, and which place a value comes from."""

import datetime
from pathlib import Path

import pytest

from appliance import settings as settings_module
from appliance.errors import SettingsError
from appliance.settings import SETTINGS, Setting

NAMED = {setting.name: setting for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_default_is_allowed_and_each_setting_has_help(setting: Setting) -> None:
    assert setting.parse(setting.default) == setting.default
    assert setting.help.endswith(".")
    if setting.preference:
        assert setting.advice, "the form has nothing to say of a wrong value"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("batch_size", " 7 ", 7),
        ("batch_size", 100_000, 100_000),
        ("scheduled_processing", "No", False),
        ("scheduled_processing", True, True),
        ("photos_at", "02:00", "02:00"),
        ("photos_at", "7:05", "07:05"),
        ("photos_at", datetime.time(23, 59), "23:59"),
        ("nightly_days", "sun, Mon", "mon,sun"),
        ("nightly_days", ["sat", "sat"], "sat"),
        ("time_zone", "", ""),
        ("time_zone", " Asia/Kolkata ", "Asia/Kolkata"),
        ("provider", "cuda", "cuda"),
    ],
)
def test_what_is_allowed(name: str, value: object, expected: object) -> None:
    assert NAMED[name].parse(value) == expected


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("batch_size", 0, "from 1 to 100000"),
        ("batch_size", "100001", "from 1 to 100000"),
        ("batch_size", "many", "a whole number"),
        ("batch_size", 1.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("batch_size", "9" * 5000, "a whole number"),
        ("scheduled_processing", "perhaps", "true or false"),
        ("photos_at", "24:00", "from 00:00 to 23:59"),
        ("photos_at", "02:60", "from 00:00 to 23:59"),
        ("photos_at", "2", "from 00:00 to 23:59"),
        ("photos_at", "", "from 00:00 to 23:59"),
        ("photos_at", ":30", "from 00:00 to 23:59"),
        ("photos_at", "-1:30", "from 00:00 to 23:59"),
        ("photos_at", "02:30:00", "from 00:00 to 23:59"),
        ("photos_at", "٠٢:٠٠", "from 00:00 to 23:59"),
        ("nightly_days", "", "at least one of mon"),
        ("nightly_days", "mon,funday", "at least one of mon"),
        ("nightly_days", [], "at least one of mon"),
        ("time_zone", "Mars/Olympus", "Europe/Berlin"),
        ("time_zone", "Europe", "Europe/Berlin"),
        ("time_zone", "../../etc/passwd", "Europe/Berlin"),
        ("time_zone", "/etc/localtime", "Europe/Berlin"),
        ("time_zone", "a\0b", "Europe/Berlin"),
        ("time_zone", "x" * 5000, "Europe/Berlin"),
        ("provider", "abacus", "one of auto, cpu"),
    ],
)
def test_what_is_refused_and_what_to_use_instead(name: str, value: object, advice: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        NAMED[name].parse(value)
    assert advice in caught.value.next_step


def test_each_place_goes_before_those_it_should(tmp_path: Path) -> None:
    file = tmp_path / "shoebox.toml"
    file.write_text('batch_size = 10\nattempts = 4\nphotos_at = 03:15:00\nnightly_days = ["sat", "sun"]\nport = 81\n')
    environment = {"AI_MAX_RETRIES": "5", "AI_BEAMS": "", "SHOEBOX_PORT": "82"}
    overrides = {"port": "83", "host": None}
    found = settings_module.load(environment, file, overrides)
    assert (found.batch_size, found.attempts, found.beams, found.port) == (10, 5, 0, 83)
    assert (found.photos_at, found.nightly_days) == ("03:15", "sat,sun")
    origins = settings_module.origins(environment, file, overrides)
    assert set(origins) == set(NAMED)
    assert [origins[name] for name in ("batch_size", "attempts", "beams", "port", "host")] == [
        "file", "environment", "default", "command line", "default",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rest_above = 60", "from 30 to 59"), ("rest_above = 60\nrest_below = 61", "from 30 to 59"),
        ("batch_size = 0", "from 1 to 100000"), ("colour = 1", "unknown setting: colour"), ("= 1", "cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "shoebox.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=said):
        settings_module.load({}, file)


def test_hugging_faces_own_name_for_the_hub_counts_where_ours_is_not_set(tmp_path: Path) -> None:
    nothing, written = tmp_path / "none.toml", tmp_path / "shoebox.toml"
    written.write_text('hub = "https://file.example"')
    theirs, ours = {"HF_ENDPOINT": "https://theirs.example"}, {"SHOEBOX_HUB": "https://ours.example"}
    assert settings_module.load({}, nothing).hub == "https://huggingface.co"
    assert settings_module.load({"HF_ENDPOINT": ""}, nothing).hub == "https://huggingface.co"
    assert settings_module.load(theirs, nothing).hub == "https://theirs.example"
    assert settings_module.origins(theirs, nothing)["hub"] == "HF_ENDPOINT"
    assert settings_module.load(theirs, written).hub == "https://file.example"
    assert settings_module.load(theirs | ours, nothing).hub == "https://ours.example"
    default = {"SHOEBOX_HUB": "https://huggingface.co"}
    assert settings_module.load(theirs | default, nothing).hub == "https://huggingface.co"
