"""Every setting, once: this list makes the settings page's form, README's table and `shoebox settings`.

Defaults < the settings file < the environment < the command line; loaded once, in `cli`, and handed down. What the
settings page stores is laid over them by `library.preferences`.
"""

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from appliance.errors import SettingsError
from appliance.sentences import say

SETTINGS_FILE = Path("/etc/shoebox.toml")
STATE_FOLDER = Path("/var/lib/shoebox-state")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # in the order of date.weekday()
EVERY_DAY = ",".join(DAYS)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, environment variable, default, help, and range or choices where it has them.

    A `preference` can be changed on the settings page; what is stored there wins over the file and the environment.
    """

    name: str
    environment: str
    default: bool | int | str
    help: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    preference: bool = False
    form: Literal["plain", "time", "days", "zone", "name"] = "plain"
    secret: bool = False  # not shown on the page

    @property
    def range(self) -> str:
        """What is allowed, in a few words; "" where any text is."""
        if self.choices:
            return ", ".join(self.choices)
        if self.minimum is not None:
            return say("{minimum} to {maximum}", minimum=self.minimum, maximum=self.maximum)
        return {
            "time": say("00:00 to 23:59"),
            "days": say("any of {days}", days=", ".join(DAYS)),
            "zone": say("a time zone's name"),
            "name": say("1 to 40 letters"),
        }.get(self.form, "")

    @property
    def advice(self) -> str:
        """What to do instead of a value that cannot be used, in a sentence."""
        if self.choices:
            return say("Use one of {range}.", range=self.range)
        if isinstance(self.default, bool):
            return say("Use true or false.")
        if isinstance(self.default, int):
            return say("Use a whole number from {range}.", range=self.range)
        return {
            "time": say("Use hours and minutes from 00:00 to 23:59, for example 02:30."),
            "days": say("Use at least one of {days}, with commas between them.", days=", ".join(DAYS)),
            "name": say("Use 1 to 40 letters in one line."),
            "zone": say("Use a name such as Europe/Berlin, or nothing for the box's own."),
        }.get(self.form, "")

    def parse(self, value: object) -> bool | int | str:
        """Return `value` as this setting's type; raise SettingsError, with what is allowed, where it is not."""
        if isinstance(self.default, bool):
            return self._boolean(value)
        if isinstance(self.default, int):
            return self._integer(value)
        if self.form == "time":
            return self._time(value)
        if self.form == "days":
            return self._days(value)
        if self.form == "zone":
            return self._zone(value)
        if self.form == "name":
            return self._name(value)
        text = str(value)
        if self.choices and text not in self.choices:
            raise self._refusal(value)
        return text

    def _refusal(self, value: object) -> SettingsError:
        return SettingsError("{name} cannot be {value}.", self.advice, name=self.name, value=repr(value)[:60])

    def _boolean(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in {"true", "1", "yes", "on"}:
            return True
        if word in {"false", "0", "no", "off"}:
            return False
        raise self._refusal(value)

    def _integer(self, value: object) -> int:
        try:
            number = int(str(value).strip())
        except ValueError:
            raise self._refusal(value) from None
        low, high = self.minimum, self.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            raise self._refusal(value)
        return number

    def _time(self, value: object) -> str:
        if isinstance(value, time):  # as TOML has them
            return f"{value:%H:%M}"
        hours, colon, minutes = str(value).strip().partition(":")
        digits = (hours + minutes).isascii() and (hours + minutes).isdigit() and len(hours) <= 2 and len(minutes) == 2
        if not (colon and digits and hours and int(hours) < 24 and int(minutes) < 60):
            raise self._refusal(value)
        return f"{int(hours):02}:{minutes}"

    def _days(self, value: object) -> str:
        given = value if isinstance(value, (list, tuple)) else str(value).split(",")
        words = {str(word).strip().lower() for word in given} - {""}
        if not words or not words <= set(DAYS):
            raise self._refusal(value)
        return ",".join(day for day in DAYS if day in words)

    def _name(self, value: object) -> str:
        name = str(value).strip()
        if not name or len(name) > 40 or not name.isprintable():
            raise self._refusal(value)
        return name

    def _zone(self, value: object) -> str:
        name = str(value).strip()
        try:
            return ZoneInfo(name).key if name else ""
        except (LookupError, ValueError, OSError):  # unknown, a path out of the zones' folder, a folder of zones
            raise self._refusal(value) from None


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "SHOEBOX_DATA", "/var/lib/shoebox", "Folder that holds the library: originals, database, models."),
    Setting(
        "state",
        "SHOEBOX_STATE",
        "",
        "Folder, on another disk than the library, in which the box remembers which library it had; empty takes"
        " /var/lib/shoebox-state where that can be written, else ~/.local/state/shoebox.",
    ),
    Setting(
        "host",
        "SHOEBOX_HOST",
        "0.0.0.0",  # noqa: S104 - phones are to reach it; nobody gets in without a password
        "Address the page listens on; 127.0.0.1 lets only this machine reach it.",
    ),
    Setting("port", "SHOEBOX_PORT", 8080, "Port the page listens on.", 0, 65535),
    Setting(
        "claim_code",
        "SHOEBOX_CLAIM_CODE",
        "",
        "Code that the first visitor has to know; empty asks for none.",
        secret=True,
    ),
    Setting(
        "box_name",
        "SHOEBOX_BOX_NAME",
        "Shoebox",
        "What the box is called on its page.",
        preference=True,
        form="name",
    ),
    Setting(
        "upload_limit_mb", "SHOEBOX_UPLOAD_LIMIT_MB", 16384, "Largest file that may be uploaded, in MiB.", 1, 1 << 20
    ),
    Setting(
        "threads",
        "SHOEBOX_THREADS",
        0,
        "Processor threads for describing one photo; 0 is chosen for this board.",
        0,
        256,
    ),
    Setting(
        "provider",
        "SHOEBOX_PROVIDER",
        "auto",
        "What describing runs on; auto takes the best that is there and describes as the processor does.",
        choices=(
            "auto",
            "cpu",
            "cuda",
            "tensorrt",
            "migraphx",
            "rocm",
            "openvino",
            "coreml",
            "xnnpack",
            "acl",
        ),
    ),
    Setting("model_load_timeout", "SHOEBOX_MODEL_LOAD_TIMEOUT", 120, "Seconds a model may take to load.", 1, 3600),
    Setting(
        "memory_limit_mb",
        "SHOEBOX_MEMORY_LIMIT_MB",
        0,
        "Memory that describing may take, in MiB; 0 takes three quarters of the machine's, less of a small one's.",
        0,
        1 << 20,
    ),
    Setting(
        "hub",
        "SHOEBOX_HUB",
        "https://huggingface.co",
        "Address of the hub that models are downloaded from; where it is not set, HF_ENDPOINT counts.",
    ),
    Setting("log", "SHOEBOX_LOG", "text", "How log lines are written.", choices=("text", "json")),
    Setting(
        "auto_process_on_upload",
        "AI_AUTO_PROCESS_ON_UPLOAD",
        True,
        "Describe each photo and video as it arrives; otherwise they wait for the night.",
        preference=True,
    ),
    Setting(
        "scheduled_processing",
        "AI_SCHEDULED_PROCESSING",
        True,
        "Describe what is waiting at night.",
        preference=True,
    ),
    Setting(
        "nightly_days",
        "SHOEBOX_NIGHTLY_DAYS",
        EVERY_DAY,
        "Days on which a night begins, with commas between them.",
        preference=True,
        form="days",
    ),
    Setting("photos_at", "SHOEBOX_PHOTOS_AT", "02:00", "When the photos' turn comes.", preference=True, form="time"),
    Setting("videos_at", "SHOEBOX_VIDEOS_AT", "02:30", "When the videos' turn comes.", preference=True, form="time"),
    Setting(
        "window_end",
        "SHOEBOX_WINDOW_END",
        "06:00",
        "When the night is over: a missed turn is made up for until then, what is not begun waits for the next.",
        preference=True,
        form="time",
    ),
    Setting(
        "time_zone",
        "SHOEBOX_TIME_ZONE",
        "",
        "Time zone of the nights and of the times shown, for example Europe/Berlin; empty takes the box's own.",
        preference=True,
        form="zone",
    ),
    Setting(
        "batch_size", "AI_BATCH_SIZE", 500, "Photos, and videos, described in one night.", 1, 100_000, preference=True
    ),
    Setting(
        "workers",
        "SHOEBOX_WORKERS",
        1,
        "How many are described at the same time; each takes the model's memory once more.",
        1,
        8,
        preference=True,
    ),
    Setting(
        "processing_timeout",
        "AI_PROCESSING_TIMEOUT",
        30,
        "Seconds one photo, or one frame of a video, may take.",
        1,
        3600,
        preference=True,
    ),
    Setting(
        "attempts",
        "AI_MAX_RETRIES",
        3,
        "How often an item is tried before it counts as failed.",
        1,
        20,
        preference=True,
    ),
    Setting(
        "backup_at",
        "SHOEBOX_BACKUP_AT",
        "01:30",
        "When the database is backed up; a time that was missed is made up for as soon as the box is on.",
        preference=True,
        form="time",
    ),
    Setting("backups_kept", "SHOEBOX_BACKUPS_KEPT", 7, "How many backups are kept.", 1, 365, preference=True),
    Setting("retry_delay", "SHOEBOX_RETRY_DELAY", 10, "Seconds before a second try; doubled for each more.", 0, 3600),
    Setting(
        "video_frames",
        "AI_VIDEO_FRAMES",
        0,
        "Most moments described in one video; 0 is chosen for this board, mostly 8.",
        0,
        64,
        preference=True,
    ),
    Setting(
        "recognise",
        "SHOEBOX_RECOGNISE",
        True,
        "Also tag what a small recogniser is sure of; before BLIP is installed, describe photos from it.",
        preference=True,
    ),
    Setting(
        "beams",
        "AI_BEAMS",
        0,
        "Sentences weighed against each other: 1 is fastest; 0 is chosen for this board, mostly 1.",
        0,
        8,
        preference=True,
    ),
    Setting(
        "rest_above",
        "SHOEBOX_REST_ABOVE",
        80,
        "Degrees Celsius above which the box rests: nothing more is described until it is cooler.",
        40,
        110,
        preference=True,
    ),
    Setting(
        "rest_below",
        "SHOEBOX_REST_BELOW",
        75,
        "Degrees Celsius below which it goes on after a rest; less than rest_above.",
        30,
        109,
        preference=True,
    ),
)
_NAMED = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting's value, in the order of SETTINGS; see there for what each means."""

    data: Path
    state: Path
    host: str
    port: int
    claim_code: str
    box_name: str
    upload_limit_mb: int
    threads: int
    provider: str
    model_load_timeout: int
    memory_limit_mb: int
    hub: str
    log: str
    auto_process_on_upload: bool
    scheduled_processing: bool
    nightly_days: str
    photos_at: str
    videos_at: str
    window_end: str
    time_zone: str
    batch_size: int
    workers: int
    processing_timeout: int
    attempts: int
    backup_at: str
    backups_kept: int
    retry_delay: int
    video_frames: int
    recognise: bool
    beams: int
    rest_above: int
    rest_below: int


def load(
    environment: Mapping[str, str] = os.environ,
    file: Path = SETTINGS_FILE,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Return the settings in force; `overrides` (the command line's) win over all.

    Raises SettingsError where the file cannot be read or a value cannot be used.
    """
    values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
    for layer in _layers(environment, file, overrides or {}).values():
        values |= {setting.name: setting.parse(layer[setting.name]) for setting in SETTINGS if setting.name in layer}
    values["data"] = Path(values["data"]).expanduser().absolute()
    values["state"] = Path(values["state"] or _standard_state(environment)).expanduser().absolute()
    found = Settings(**values)
    for error in contradictions(found, _NAMED).values():
        raise error
    return found


def contradictions(settings: Settings, chosen: Collection[str]) -> dict[str, SettingsError]:
    """Return what is good alone but not together, by name, with what to choose; only names in `chosen` are blamed."""
    above, below = settings.rest_above, settings.rest_below
    if below < above:
        return {}
    if "rest_below" in chosen:
        advice = say(
            "Use a whole number from {minimum} to {maximum}: the rest begins above {above}.",
            minimum=_NAMED["rest_below"].minimum,
            maximum=above - 1,
            above=above,
        )
        return {"rest_below": SettingsError("rest_below cannot be {below}.", advice, below=below)}
    if "rest_above" in chosen:
        advice = say(
            "Use a whole number from {minimum} to {maximum}: the rest ends below {below}.",
            minimum=below + 1,
            maximum=_NAMED["rest_above"].maximum,
            below=below,
        )
        return {"rest_above": SettingsError("rest_above cannot be {above}.", advice, above=above)}
    return {}


def origins(
    environment: Mapping[str, str] = os.environ,
    file: Path = SETTINGS_FILE,
    overrides: Mapping[str, object] | None = None,
) -> dict[str, str]:
    """Return where `load` takes each value from, by name: default, file, environment or command line."""
    found = {setting.name: "default" for setting in SETTINGS}
    for origin, layer in _layers(environment, file, overrides or {}).items():
        found |= dict.fromkeys(layer, origin)
    return found


def table() -> str:
    """Return README's table of all settings, in Markdown."""
    lines = ["| name | environment | default | range | what it does |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{text(setting.default)}`" if setting.default != "" else ""
        lines.append(f"| `{setting.name}` | `{setting.environment}` | {default} | {setting.range} | {setting.help} |")
    return "\n".join(lines)


def text(value: object) -> str:
    """Return a value as it is written in the settings file and on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _standard_state(environment: Mapping[str, str]) -> Path:
    if os.geteuid() == 0 or os.access(STATE_FOLDER, os.W_OK):  # as a service's, or made for its user by systemd
        return STATE_FOLDER
    return Path(environment.get("XDG_STATE_HOME") or "~/.local/state") / "shoebox"


def _layers(
    environment: Mapping[str, str], file: Path, overrides: Mapping[str, object]
) -> dict[str, Mapping[str, object]]:
    """Return what each place says, unchecked, the weakest first."""
    written = _read(file)
    names = [setting.name for setting in SETTINGS]
    unknown = sorted(set(written) - set(names))
    if unknown:
        raise SettingsError(
            "{file} has an unknown setting: {unknown}.",
            "Known are {names}.",
            file=file,
            unknown=unknown[0],
            names=", ".join(names),
        )
    return {
        # Hugging Face's own name for it is one more default: what is meant for Shoebox wins.
        "HF_ENDPOINT": {"hub": environment["HF_ENDPOINT"]} if environment.get("HF_ENDPOINT") else {},
        "file": written,
        "environment": {
            setting.name: environment[setting.environment]
            for setting in SETTINGS
            if environment.get(setting.environment, "") != ""
        },
        "command line": {name: value for name, value in overrides.items() if name in names and value is not None},
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            "{file} cannot be read: {error}.", "Correct the file or remove it.", file=file, error=error
        ) from error
