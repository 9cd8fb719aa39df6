"""Preferences laid over the settings."""

import pytest

from appliance.errors import SettingsError
from appliance.library import preferences
from appliance.library.database import Connection
from appliance.settings import SETTINGS, Settings


def test_without_preferences_the_settings_stand(db: Connection, settings: Settings) -> None:
    assert preferences.get(db, settings) == settings


def test_preference_wins_over_settings_and_the_latest_counts(db: Connection, settings: Settings) -> None:
    preferences.set(db, "batch_size", 10)
    preferences.set(db, "batch_size", "20")
    preferences.set(db, "auto_process_on_upload", False)
    found = preferences.get(db, settings)
    assert (found.batch_size, found.auto_process_on_upload) == (20, False)
    assert found.data == settings.data


def test_wrong_value_is_refused_and_the_old_one_stays(db: Connection, settings: Settings) -> None:
    preferences.set(db, "attempts", 5)
    with pytest.raises(SettingsError, match="from 1 to 20"):
        preferences.set(db, "attempts", 21)
    assert preferences.get(db, settings).attempts == 5


@pytest.mark.parametrize("name", ["data", "port", "nonsense"])
def test_what_is_no_preference_cannot_be_set(db: Connection, name: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot be changed here|no setting called"):
        preferences.set(db, name, "1")


def test_stored_values_that_cannot_be_used_are_ignored(db: Connection, settings: Settings) -> None:
    for name, value in (("batch_size", "many"), ("attempts", "0"), ("gone_since", "1"), ("port", "1")):
        db.execute("INSERT INTO preferences VALUES (?, ?, 'then')", (name, value))
    assert preferences.get(db, settings) == settings


def test_every_preference_can_be_stored_and_read_back(db: Connection, settings: Settings) -> None:
    for setting in SETTINGS:
        if setting.preference:
            preferences.set(db, setting.name, setting.default)
            assert getattr(preferences.get(db, settings), setting.name) == setting.default


def test_values_are_checked_together_and_each_wrong_one_is_told(settings: Settings) -> None:
    good, refused = preferences.check({"batch_size": "7", "photos_at": "25:00", "port": "1"}, settings)
    assert good == {"batch_size": 7}
    assert list(refused) == ["photos_at", "port"]
    assert "SHOEBOX_PORT" in refused["port"].next_step


@pytest.mark.parametrize(
    ("values", "good", "refused", "advice"),
    [
        ({"rest_above": 70, "rest_below": 60}, ["rest_above", "rest_below"], [], ""),
        ({"rest_below": 79}, ["rest_below"], [], ""),
        ({"rest_below": 80, "beams": 2}, ["beams"], ["rest_below"], "from 30 to 79: the rest begins above 80."),
        ({"rest_above": 75}, [], ["rest_above"], "from 76 to 110: the rest ends below 75."),
        ({"rest_above": 60, "rest_below": 60}, ["rest_above"], ["rest_below"], "from 30 to 59"),
        ({"rest_above": 111, "rest_below": 79}, ["rest_below"], ["rest_above"], "from 40 to 110."),
    ],
)
def test_what_contradicts_what_is_in_force_is_refused(
    settings: Settings, values: dict[str, object], good: list[str], refused: list[str], advice: str
) -> None:
    taken, why = preferences.check(values, settings)
    assert (list(taken), list(why)) == (good, refused)
    assert all(advice in error.next_step for error in why.values())


def test_what_was_stored_is_told_from_what_was_not(db: Connection) -> None:
    assert preferences.stored(db) == {}
    preferences.set_all(db, {"batch_size": 7, "scheduled_processing": False})
    assert preferences.stored(db) == {"batch_size": 7, "scheduled_processing": False}
