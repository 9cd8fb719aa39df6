"""What describes, as the worker notes it for the page."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.library import database, describer, items, preferences
from appliance.library.database import Connection
from appliance.settings import load


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    database.migrate(tmp_path / "library.db")
    with closing(database.connect(tmp_path / "library.db")) as db:
        yield db


def test_it_is_kept_and_the_pages_hear_of_it_once(db: Connection, tmp_path: Path) -> None:
    assert describer.noted(db) is None
    before = items.revision(db)
    for _ in range(3):
        describer.note(db, "blip-base-fp16", "CUDA")
    assert describer.noted(db) == ("blip-base-fp16", "CUDA")
    assert items.revision(db) == before + 1
    describer.note(db, "blip-base-int8", "the processor")
    assert describer.noted(db) == ("blip-base-int8", "the processor")
    settings = load(environment={}, file=tmp_path / "none.toml")
    assert preferences.get(db, settings) == settings  # it is no setting


def test_what_somebody_wrote_there_by_hand_is_nothing(db: Connection) -> None:
    describer.note(db, "a", "b")
    db.execute("UPDATE preferences SET value = 'CUDA'")
    assert describer.noted(db) is None
