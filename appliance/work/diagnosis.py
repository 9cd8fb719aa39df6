"""Why the page does not start: the same steps as at its start, tried without starting anything or touching anything.

What is found is shown to whoever is on the home network: it names no photo, no person, no value of a setting.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from appliance import settings as settings_module
from appliance.device import giving_up
from appliance.errors import LibraryError, SettingsError, StorageFullError
from appliance.library import database, opening
from appliance.sentences import say
from appliance.settings import SETTINGS_FILE, Settings
from appliance.work import services
from appliance.work.finding import Finding

# A reason for which the page cannot start, and not only a worry.
REASONS = frozenset({"settings", "library"})


def diagnose(
    overrides: Mapping[str, object],
    environment: Mapping[str, str] = os.environ,
    file: Path = SETTINGS_FILE,
    root: Path = Path("/"),
) -> list[Finding]:
    """Return what is wrong, what keeps the page from starting first; nothing where a start should do."""
    found: list[Finding] = []
    settings = None
    try:
        settings = settings_module.load(environment, file, overrides)
    except SettingsError as error:
        found.append(_without_values(error, file))
    if settings is not None:
        found += _of_library(settings)
        found += [one for one in (services.system_disk(root, settings.data),) if not one.sound]
    if giving_up.is_given_up("web", environment, root):
        meant = giving_up.meaning("web", environment, root)
        if meant != giving_up.UNKNOWN:
            found.append(Finding(say("services"), False, meant, say("Try again. If it comes back, restart the box.")))
    supply = services.supply(root)
    return found if supply.sound else [*found, supply]


def _of_library(settings: Settings) -> list[Finding]:
    try:
        with database.explained():
            opening.look(settings)
    except StorageFullError as error:
        return [Finding(say("free space"), False, error.message, error.next_step)]
    except LibraryError as error:
        return [Finding(say("library"), False, error.message, error.next_step)]
    return []


def _without_values(error: SettingsError, file: Path) -> Finding:
    """Tell of a setting without its value, which may be somebody's."""
    about = say("settings")
    named = re.match(r"(\w+) cannot be ", error.message)
    if named:
        text = say("The setting {name} has a value that cannot be used.", name=named[1])
        return Finding(about, False, text, error.next_step)
    if "unknown setting" in error.message:
        text = say("{file} has a setting that Shoebox does not know.", file=file)
        step = say("On the box, type: sudo shoebox doctor. It says which, and what is known.")
        return Finding(about, False, text, step)
    return Finding(about, False, error.message, error.next_step)
