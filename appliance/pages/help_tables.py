"""What Help takes from the program itself, so that nothing is said twice: settings, checks, metrics, boards."""

from typing import Any

from appliance.settings import SETTINGS, text
from appliance.work.explained import EXPLAINED


def of(name: str) -> dict[str, Any]:
    """Return what the page of Help called `name` needs beside its words."""
    made = _TABLES.get(name)
    return {} if made is None else made()


def _settings() -> dict[str, Any]:
    rows = [
        {
            "name": one.name,
            "environment": one.environment,
            "default": text(one.default),
            "range": one.range,
            "help": one.help,
            "preference": one.preference,
        }
        for one in SETTINGS
    ]
    return {"rows": rows}


def _checks() -> dict[str, Any]:
    return {"checks": EXPLAINED}


_TABLES = {"settings": _settings, "troubleshooting": _checks}
