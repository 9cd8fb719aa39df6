"""Deployment settings: defaults < the settings file < the environment. Loaded once, in `cli`, and handed down."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import SettingsError

SETTINGS_FILE = Path("/etc/shoebox.toml")


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

    def parse(self, value: object) -> bool | int | str:
        """Return `value` as this setting's type; raise SettingsError, with what is allowed, where it is not."""
        if isinstance(self.default, bool):
            return self._boolean(value)
        if isinstance(self.default, int):
            return self._integer(value)
        text = str(value)
        if self.choices and text not in self.choices:
            raise SettingsError(f"{self.name} cannot be {text!r}.", f"Use one of {', '.join(self.choices)}.")
        return text

    def _boolean(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in {"true", "1", "yes", "on"}:
            return True
        if word in {"false", "0", "no", "off"}:
            return False
        raise SettingsError(f"{self.name} cannot be {value!r}.", "Use true or false.")

    def _integer(self, value: object) -> int:
        try:
            number = int(str(value).strip())
        except ValueError:
            number = None
        low, high = self.minimum, self.maximum
        if number is None or (low is not None and number < low) or (high is not None and number > high):
            raise SettingsError(f"{self.name} cannot be {value!r}.", f"Use a whole number from {low} to {high}.")
        return number


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "SHOEBOX_DATA", "/var/lib/shoebox", "Folder that holds the library: originals, database, models."),
    Setting(
        "host", "SHOEBOX_HOST", "127.0.0.1", "Address the page listens on; 0.0.0.0 lets phones on the LAN reach it."
    ),
    Setting("port", "SHOEBOX_PORT", 8080, "Port the page listens on.", 0, 65535),
    Setting(
        "upload_limit_mb", "SHOEBOX_UPLOAD_LIMIT_MB", 16384, "Largest file that may be uploaded, in MiB.", 1, 1 << 20
    ),
    Setting("threads", "SHOEBOX_THREADS", 0, "Processor threads for describing; 0 takes every core.", 0, 256),
    Setting(
        "provider", "SHOEBOX_PROVIDER", "cpu", "Where describing runs.", choices=("cpu", "cuda", "tensorrt", "coreml")
    ),
    Setting("model_load_timeout", "SHOEBOX_MODEL_LOAD_TIMEOUT", 120, "Seconds a model may take to load.", 1, 3600),
    Setting("hub", "SHOEBOX_HUB", "https://huggingface.co", "Address of the hub that models are downloaded from."),
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
        "Describe what is waiting at night, photos at 02:00 and videos at 02:30.",
        preference=True,
    ),
    Setting(
        "batch_size", "AI_BATCH_SIZE", 500, "Photos, and videos, described in one night.", 1, 100_000, preference=True
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
    Setting("retry_delay", "SHOEBOX_RETRY_DELAY", 10, "Seconds before a second try; doubled for each more.", 0, 3600),
    Setting("video_frames", "AI_VIDEO_FRAMES", 8, "Most moments described in one video.", 1, 64, preference=True),
    Setting("beams", "AI_BEAMS", 1, "Sentences weighed against each other: 1 is fastest.", 1, 8, preference=True),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting's value, in the order of SETTINGS; see there for what each means."""

    data: Path
    host: str
    port: int
    upload_limit_mb: int
    threads: int
    provider: str
    model_load_timeout: int
    hub: str
    auto_process_on_upload: bool
    scheduled_processing: bool
    batch_size: int
    processing_timeout: int
    attempts: int
    retry_delay: int
    video_frames: int
    beams: int


def load(
    environment: Mapping[str, str] = os.environ,
    file: Path = SETTINGS_FILE,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Return the settings in force; `overrides` (the command line's) win over all.

    Raises SettingsError where the file cannot be read or a value cannot be used.
    """
    values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
    written = _read(file)
    unknown = sorted(set(written) - set(values))
    if unknown:
        raise SettingsError(f"{file} has an unknown setting: {unknown[0]}.", f"Known are {', '.join(values)}.")
    for setting in SETTINGS:
        if setting.name in written:
            values[setting.name] = setting.parse(written[setting.name])
        if environment.get(setting.environment, "") != "":
            values[setting.name] = setting.parse(environment[setting.environment])
        if overrides and overrides.get(setting.name) is not None:
            values[setting.name] = setting.parse(overrides[setting.name])
    values["data"] = Path(values["data"]).expanduser().absolute()
    return Settings(**values)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Correct the file or remove it.") from error
