"""A library on the disk, and ways to fill it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.library import database, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.records import Format, Item, Kind

NOON = 1_714_737_600.0  # 2024-05-03T12:00:00Z


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty library, made once and copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "library.db"
    database.migrate(path)
    return path


@pytest.fixture
def path(data: Path, migrated: Path) -> Path:
    """A migrated library's database file."""
    return Path(shutil.copy(migrated, data / "library.db"))


@pytest.fixture
def db(path: Path) -> Iterator[Connection]:
    """A connection to a migrated library."""
    with closing(database.connect(path)) as db:
        yield db


@pytest.fixture
def store(data: Path) -> Store:
    """A store with its folders made."""
    store = Store(data)
    store.prepare()
    return store


@pytest.fixture
def jpeg() -> Format:
    return Format(Kind.PHOTO, "image/jpeg", "JPEG")


@pytest.fixture
def add(db: Connection, store: Store, jpeg: Format) -> Callable[..., Item]:
    """Upload bytes and return their item: `add(b"…", "beach.jpg", describe=False, now=…)`."""

    def add(
        content: bytes, name: str = "photo.jpg", *, describe: bool = True, now: float = NOON, format: Format = jpeg
    ) -> Item:
        with store.receive() as incoming:
            incoming.write(content)
            return uploads.accept(db, store, incoming, name, format, describe=describe, now=now)[0]

    return add


@pytest.fixture
def noon() -> float:
    return NOON
