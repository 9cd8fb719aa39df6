"""What the settings page changes: values in the table go before those of the file and the environment."""

from dataclasses import replace

from appliance.errors import SettingsError
from appliance.library.database import Connection, instant, transaction
from appliance.settings import SETTINGS, Setting, Settings

_PREFERENCES: dict[str, Setting] = {setting.name: setting for setting in SETTINGS if setting.preference}


def get(db: Connection, settings: Settings) -> Settings:
    """Return the settings with the stored preferences laid over them; a stored value that cannot be used is ignored."""
    values: dict[str, bool | int | str] = {}
    for row in db.execute("SELECT name, value FROM preferences"):
        setting = _PREFERENCES.get(row["name"])
        if setting is not None:
            try:
                values[setting.name] = setting.parse(row["value"])
            except SettingsError:
                continue  # written by another version of Shoebox, with another range
    return replace(settings, **values)  # type: ignore[arg-type]


def set(db: Connection, name: str, value: object) -> None:
    """Store a preference; raise SettingsError, with what is allowed, where `value` is not or `name` is not one."""
    setting = _PREFERENCES.get(name)
    if setting is None:
        raise SettingsError(f"{name} cannot be changed here.", f"These can: {', '.join(_PREFERENCES)}.")
    text = str(setting.parse(value))
    with transaction(db):
        db.execute(
            "INSERT INTO preferences (name, value, changed_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
            (name, text, instant()),
        )
