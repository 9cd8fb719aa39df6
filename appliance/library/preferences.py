"""What the settings page changes: values in the table go before those of the file and the environment."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from appliance.errors import SettingsError
from appliance.library.database import Connection, instant, transaction
from appliance.settings import SETTINGS, Setting, Settings, contradictions

PREFERENCES: dict[str, Setting] = {setting.name: setting for setting in SETTINGS if setting.preference}
_FIXED = {setting.name: setting for setting in SETTINGS if not setting.preference}


def get(db: Connection, settings: Settings) -> Settings:
    """Return the settings with the stored preferences laid over them; a stored value that cannot be used is ignored."""
    return replace(settings, **stored(db))  # type: ignore[arg-type]


def stored(db: Connection) -> dict[str, bool | int | str]:
    """Return the preferences that were set, by name, without those that cannot be used."""
    values: dict[str, bool | int | str] = {}
    for row in db.execute("SELECT name, value FROM preferences"):
        setting = PREFERENCES.get(row["name"])
        if setting is not None:
            try:
                values[setting.name] = setting.parse(row["value"])
            except SettingsError:
                continue  # written by another version of Shoebox, with another range
    return values


def check(
    values: Mapping[str, object], in_force: Settings
) -> tuple[dict[str, bool | int | str], dict[str, SettingsError]]:
    """Return the values, by name, that can be set, as what they are stored, and why the others cannot.

    They are checked one by one, and together with what is `in_force`.
    """
    good: dict[str, bool | int | str] = {}
    refused: dict[str, SettingsError] = {}
    for name, value in values.items():
        try:
            good[name] = _preference(name).parse(value)
        except SettingsError as error:
            refused[name] = error
    together = contradictions(replace(in_force, **good), good)  # type: ignore[arg-type]
    return {name: value for name, value in good.items() if name not in together}, refused | together


def set(db: Connection, name: str, value: object) -> None:
    """Store one preference; raise SettingsError, with what is allowed, where `value` is not or `name` is not one.

    It is checked alone; `check` also asks whether it goes with the others.
    """
    set_all(db, {name: _preference(name).parse(value)})


def set_all(db: Connection, checked: Mapping[str, bool | int | str]) -> None:
    """Store preferences that `check` has found good, all at once."""
    with transaction(db):
        for name, value in checked.items():
            db.execute(
                "INSERT INTO preferences (name, value, changed_at) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
                (name, str(value), instant()),
            )


def reset(db: Connection, names: Iterable[str]) -> None:
    """Forget what was stored for these preferences: the file, the environment or the default counts again.

    Raises SettingsError where one of them is no preference; none is forgotten then.
    """
    wanted = [_preference(name).name for name in names]
    with transaction(db):
        db.executemany("DELETE FROM preferences WHERE name = ?", [(name,) for name in wanted])


def _preference(name: str) -> Setting:
    if name in PREFERENCES:
        return PREFERENCES[name]
    if name in _FIXED:
        raise SettingsError(
            "{name} cannot be changed here.",
            "Set it in /etc/shoebox.toml, or as {environment}, and start Shoebox again.",
            name=name,
            environment=_FIXED[name].environment,
        )
    raise SettingsError(
        "There is no setting called {name}.",
        "These can be changed: {preferences}.",
        name=name[:60],
        preferences=", ".join(PREFERENCES),
    )
