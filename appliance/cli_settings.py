"""The commands `shoebox settings list`, `get` and `set`: what is in force, where it comes from, and changing it."""

import argparse
from typing import Any

from appliance import settings as settings_module
from appliance.errors import SettingsError
from appliance.library import opening, preferences
from appliance.sentences import say
from appliance.settings import SETTINGS, Settings, text


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the commands to the subparsers `commands`; `data` has the option that names the library's folder."""
    parser = commands.add_parser("settings", help="list, read and change settings")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", parents=[data], help="every setting, its value and where that comes from")
    listing.add_argument("--markdown", action="store_true", help="as README's table")
    listing.set_defaults(command=_list)
    get = actions.add_parser("get", parents=[data], help="print one value")
    get.add_argument("name", metavar="NAME", help="a setting's name, as `shoebox settings list` prints it")
    get.set_defaults(command=_get)
    change = actions.add_parser("set", parents=[data], help="change a setting as the settings page does")
    change.add_argument("name", metavar="NAME", help="a setting that the settings page can change")
    change.add_argument("value", metavar="VALUE", help="its new value")
    change.set_defaults(command=_set)


def _list(settings: Settings, options: argparse.Namespace) -> int:
    if options.markdown:
        print(settings_module.table())
        return 0
    in_force, origins = _in_force(settings, options)
    values = {setting.name: text(getattr(in_force, setting.name)) for setting in SETTINGS}
    values |= {setting.name: "(set)" for setting in SETTINGS if setting.secret and values[setting.name]}
    width = max(len(value) for value in values.values())
    for setting in SETTINGS:
        help = f"{setting.help} ({setting.range})" if setting.range else setting.help
        print(f"{setting.name:<24}{values[setting.name]:<{width}}  {origins[setting.name]:<14}{help}")
    return 0


def _get(settings: Settings, options: argparse.Namespace) -> int:
    if options.name not in {setting.name for setting in SETTINGS}:
        raise SettingsError(
            "There is no setting called {name}.", "`shoebox settings list` names them all.", name=options.name
        )
    in_force, _ = _in_force(settings, options)
    print(text(getattr(in_force, options.name)))
    return 0


def _set(settings: Settings, options: argparse.Namespace) -> int:
    with opening.visited(settings) as db:
        good, refused = preferences.check({options.name: options.value}, preferences.get(db, settings))
        for error in refused.values():
            raise error
        preferences.set_all(db, good)
        value = getattr(preferences.get(db, settings), options.name)
    print(say("{name} is {text} from now on.", name=options.name, text=repr(text(value))))
    return 0


def _in_force(settings: Settings, options: argparse.Namespace) -> tuple[Settings, dict[str, str]]:
    """Return the settings with the library's preferences, where there is one, and where each value comes from."""
    origins = settings_module.origins(overrides={"data": options.data})
    if not (settings.data / "library.db").exists():
        return settings, origins
    with opening.visited(settings) as db:
        return preferences.get(db, settings), origins | dict.fromkeys(preferences.stored(db), "page")
