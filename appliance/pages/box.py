"""What every handler needs to know of this box: its settings, its library, its store, its bell and its models."""

import shlex
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance.device import clock
from appliance.errors import DamagedLibraryError, ModelError
from appliance.library import database, preferences
from appliance.library.database import Connection
from appliance.library.marker import Presence
from appliance.library.store import Store
from appliance.modelstore import installed, progress
from appliance.records import Job, ModelInfo
from appliance.sentences import ENGLISH, Language
from appliance.settings import Settings
from appliance.work.queue import Bell

STANDARD_DATA = Path("/var/lib/shoebox")  # where `shoebox` looks when nobody says otherwise


@dataclass(frozen=True, slots=True)
class Box:
    """One running box; made once in `create_app` and handed to every handler."""

    settings: Settings
    store: Store
    bell: Bell
    own_zone: ZoneInfo
    presence: Presence
    damaged: threading.Event  # set once a request met damage in the database
    language: Language = ENGLISH  # that its pages and its API speak

    @classmethod
    def at(cls, settings: Settings, language: Language = ENGLISH) -> "Box":
        """Return the box whose data folder the settings name; the database is not opened."""
        data, zone = settings.data, clock.household_zone()
        return cls(settings, Store(data), Bell(data), zone, Presence(data), threading.Event(), language)

    @property
    def database(self) -> Path:
        """The library database's file."""
        return self.settings.data / "library.db"

    @property
    def models(self) -> Path:
        """The folder of installed models."""
        return self.settings.data / "models"

    @property
    def command(self) -> str:
        """How this box's `shoebox` is called for this library: what the page tells people to type."""
        own = Path(sys.prefix) / "bin" / "shoebox"
        name = str(own) if own.is_file() and shutil.which("shoebox") != str(own) else "shoebox"
        library = (
            [] if self.settings.data == STANDARD_DATA else [f"SHOEBOX_DATA={shlex.quote(str(self.settings.data))}"]
        )
        return " ".join([*library, shlex.quote(name)])

    @property
    def upload_limit(self) -> int:
        """The largest upload, in bytes."""
        return self.settings.upload_limit_mb << 20

    @contextmanager
    def library(self) -> Iterator[Connection]:
        """Open the library database for one request; it belongs to the thread that serves the request."""
        try:
            with database.explained(), closing(database.connect(self.database)) as db:
                yield db
        except DamagedLibraryError:
            self.damaged.set()
            raise

    def zone(self, db: Connection) -> ZoneInfo:
        """Return the household's time zone: the chosen one, or else the box's own."""
        chosen = preferences.get(db, self.settings).time_zone
        return ZoneInfo(chosen) if chosen else self.own_zone

    def ring(self, jobs: list[Job]) -> None:
        """Tell the worker of jobs that were just written down."""
        for job in jobs:
            self.bell.ring(job)

    def model(self) -> ModelInfo | None:
        """Return the model in use, None where none can be read: the page works without one."""
        try:
            return installed.in_use(self.models)
        except (ModelError, OSError):
            return None

    def installation(self) -> dict[str, Any] | None:
        """Return the latest installation of a model, as the API tells it, None where there was none."""
        found = progress.read(self.models)
        return None if found is None else found.as_json()

    def known_models(self) -> dict[str, ModelInfo]:
        """Return the installed models by id."""
        try:
            return {model.id: model for model in installed.installed(self.models)}
        except (ModelError, OSError):
            return {}
