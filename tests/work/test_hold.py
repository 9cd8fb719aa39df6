"""Work waits while the disk ails, and for a while after a refused write; each reason is told once."""

import logging
from pathlib import Path

import pytest

from appliance.errors import StorageFullError
from appliance.library.store import Store
from appliance.work import hold
from appliance.work.hold import Hold

FULL = StorageFullError("The card or disk is full.", "Make room.")


@pytest.fixture
def store(data: Path) -> Store:
    store = Store(data)
    store.prepare()
    return store


def test_nothing_waits_on_a_sound_disk(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    assert not Hold(store).stands()
    assert caplog.records == []


def test_a_folder_that_is_gone_has_work_wait_until_it_is_back(
    store: Store, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    waiting = Hold(store)
    away = data.with_name("away")
    data.rename(away)
    assert all(waiting.stands() for _ in range(5))
    waiting.begin(FULL)  # what a job met meanwhile
    away.rename(data)
    assert not waiting.stands()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) <= 4
    assert "is gone" in told[0]
    assert told[-1] == "Work goes on."


def test_a_refused_write_on_a_disk_that_looks_well_has_work_wait_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = Hold(store)
    waiting.begin(FULL)
    waiting.begin(FULL)
    assert waiting.stands()
    assert len(caplog.records) == 1
    monkeypatch.setattr(hold, "PAUSE", 0.0)
    waiting.begin(FULL)
    assert not waiting.stands()
