"""The settings as plain questions with their answers, and as the fields of the form that changes them."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from zoneinfo import available_timezones

from appliance.errors import SettingsError
from appliance.pages import words
from appliance.sentences import counted, say
from appliance.settings import DAYS, SETTINGS, Setting, Settings, text
from appliance.work.fit import CHOSEN

QUESTIONS = {
    "data": say("Where is everything kept?"),
    "state": say("Where does the box remember its library?"),
    "host": say("Which address does the page listen on?"),
    "port": say("Which port?"),
    "claim_code": say("Which code has the first visitor to know?"),
    "box_name": say("What is this box called?"),
    "upload_limit_mb": say("How large may one file be?"),
    "threads": say("How many processor cores describe?"),
    "provider": say("What does the describing run on?"),
    "hub": say("Where do models come from?"),
    "log": say("How are log lines written?"),
    "model_load_timeout": say("How long may a model take to load?"),
    "auto_process_on_upload": say("When are new photos and videos described?"),
    "scheduled_processing": say("Describe what is waiting at night?"),
    "nightly_days": say("On which days does a night begin?"),
    "photos_at": say("When do photos begin?"),
    "videos_at": say("When do videos begin?"),
    "window_end": say("When is the night over?"),
    "time_zone": say("Which time zone is this home in?"),
    "batch_size": say("How many photos, and how many videos, in one night?"),
    "workers": say("How many are described at the same time?"),
    "processing_timeout": say("How long may one photo take?"),
    "attempts": say("How often is one tried?"),
    "backup_at": say("When is the database backed up?"),
    "backups_kept": say("How many backups are kept?"),
    "retry_delay": say("How long to wait before the second try?"),
    "video_frames": say("How many moments of a video are described?"),
    "recognise": say("Also tag what is plainly to be seen?"),
    "beams": say("How many sentences are weighed for each?"),
    "memory_limit_mb": say("How much memory may describing take?"),
    "rest_above": say("How warm may the box get before it rests?"),
    "rest_below": say("How cool must it be to go on?"),
}
GROUPS = {
    say("Describing"): ("auto_process_on_upload", "processing_timeout", "attempts", "workers"),
    say("Night"): ("scheduled_processing", "nightly_days", "photos_at", "videos_at", "window_end", "batch_size"),
    say("Model"): ("beams", "video_frames", "recognise"),
    say("Library"): ("backup_at", "backups_kept"),
    say("Box"): ("box_name", "time_zone", "rest_above", "rest_below"),
}  # fmt: skip
UNITS = {
    "batch_size": say("of each"),
    "processing_timeout": say("seconds"),
    "attempts": say("times"),
    "rest_above": "°C",
    "rest_below": "°C",
}
DAY_NAMES = {
    "mon": say("Monday"), "tue": say("Tuesday"), "wed": say("Wednesday"), "thu": say("Thursday"),
    "fri": say("Friday"), "sat": say("Saturday"), "sun": say("Sunday"),
}  # fmt: skip
_PROVIDERS = {
    "auto": say("The best that is there"), "cpu": say("Processor"), "tensorrt": "TensorRT", "migraphx": "MIGraphX",
    "rocm": "ROCm", "openvino": "OpenVINO", "coreml": "CoreML",
}  # fmt: skip
# Names of countries' and of computers' zones, each of which has a city's beside it.
_OTHER_ZONES = ("Brazil/", "Canada/", "Chile/", "Etc/", "Mexico/", "SystemV/", "US/", "posix/", "right/")


def groups(
    in_force: Settings,
    unchanged: Settings,
    typed: Mapping[str, str],
    refused: Mapping[str, SettingsError],
    chosen: Mapping[str, int],
) -> dict[str, list[dict[str, Any]]]:
    """Return the form's fields by heading: the answers in force, or what was `typed` and why it was `refused`.

    `unchanged` is what counts where nothing was answered here; `chosen` is what 0 stands for on this board, by name. A
    field's `now` is the answer in force where another was typed, else "".
    """
    named = {setting.name: setting for setting in SETTINGS}
    return {
        heading: [
            _field(named[name], in_force, typed.get(name), refused.get(name), chosen)
            | {"back_to": _back_to(name, in_force, unchanged, chosen)}
            for name in names
        ]
        for heading, names in GROUPS.items()
    }


def _back_to(name: str, in_force: Settings, unchanged: Settings, chosen: Mapping[str, int]) -> str:
    """Return the answer that putting this one back would give, "" where it is that one."""
    before = getattr(unchanged, name)
    return "" if getattr(in_force, name) == before else answer(name, before, chosen)


def fixed(in_force: Settings, chosen: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the settings that the page only shows: each question with its answer and its help."""
    return [
        _about(setting) | {"value": answer(setting.name, getattr(in_force, setting.name), chosen)}
        for setting in SETTINGS
        if not setting.preference
    ]


def _about(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "question": QUESTIONS[setting.name],
        "environment": setting.environment,
        "default": answer(setting.name, setting.default),
        "help": say(setting.help),
        "range": setting.range,
    }


def _field(
    setting: Setting,
    in_force: Settings,
    typed: str | None,
    error: SettingsError | None,
    chosen: Mapping[str, int],
) -> dict[str, Any]:
    value = text(getattr(in_force, setting.name)) if typed is None else typed
    field = _about(setting) | {"value": value, "unit": UNITS.get(setting.name, ""), "error": "", "kind": "text"}
    given = getattr(in_force, setting.name)
    field["now"] = "" if value == text(given) else answer(setting.name, given, chosen)
    if setting.name in chosen:
        field["unit"] = say("0: chosen for this board, now {chosen}", chosen=chosen[setting.name])
    if error is not None:
        field["error"] = say("Choose at least one day.") if setting.form == "days" else error.next_step
        if value and setting.form != "days":
            field["error"] = say("“{value}” cannot be used. {advice}", value=value[:40], advice=error.next_step)
    if isinstance(setting.default, bool):
        yes, no = (answer(setting.name, one) for one in (True, False))
        field |= {"kind": "choice", "options": [("true", yes, value == "true"), ("false", no, value == "false")]}
    elif setting.form == "days":
        days = value.split(",")
        field |= {"kind": "days", "options": [(day, DAY_NAMES[day], day in days) for day in DAYS]}
    elif isinstance(setting.default, int):
        field["kind"] = "number"
    elif setting.form == "zone":
        field["kind"] = "zone"
    elif setting.form == "time" and error is None:
        field["kind"] = "time"  # a browser's time field would not show what is no time
    return field


@cache
def zones() -> tuple[str, ...]:
    """Return the names of the world's time zones, as cities."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith(_OTHER_ZONES)))


def answer(name: str, value: object, chosen: Mapping[str, int] = MappingProxyType({})) -> str:
    """Return a setting's value as people say it; `chosen` is what 0 stands for on this board, by name."""
    if name == "claim_code":
        return say("One that is kept to itself") if value else say("None")
    if name == "auto_process_on_upload":
        return say("As they arrive") if value else say("At night")
    if isinstance(value, bool):
        return say("Yes") if value else say("No")
    if name in CHOSEN and value == 0:
        now = chosen.get(name)
        return say("Chosen for this board") if now is None else say("Chosen for this board, now {now}", now=now)
    if name == "memory_limit_mb":
        return words.size(value << 20) if isinstance(value, int) and value else say("As much as the box can spare")
    if name in {"rest_above", "rest_below"}:
        return say("{value} °C", value=value)
    if name == "time_zone" and value == "":
        return say("The box’s own")
    if name == "nightly_days":
        return say("Every day") if value == ",".join(DAYS) else str(value)
    if name == "upload_limit_mb" and isinstance(value, int):
        return words.size(value << 20)
    if name in {"model_load_timeout", "processing_timeout", "retry_delay"}:
        return say("{value} seconds", value=value)
    if name == "attempts":
        return counted("once", "{count} times", int(str(value)))
    if name == "provider":
        return _PROVIDERS.get(str(value), str(value).upper())
    return str(value)
