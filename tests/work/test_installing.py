"""A model is installed by a process of its own, from a server that answers as the hub does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.errors import ModelError
from appliance.modelstore import progress
from appliance.settings import SETTINGS
from appliance.work import installing
from hub_server import HubServer, serving


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub that lets nobody in, for every process that a test starts."""
    for setting in SETTINGS:
        if setting.name != "state":
            monkeypatch.delenv(setting.environment, raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    folder = tmp_path / "hub"
    folder.mkdir()
    with serving(HubServer(folder, token="hf_other")) as server:  # noqa: S106 (a made-up one)
        monkeypatch.setenv("SHOEBOX_HUB", server.address)
        yield server


def test_how_far_it_is_is_there_at_once_and_why_it_failed_in_the_end(data: Path, until: Callable[..., None]) -> None:
    installing.start(data, "blip-base")
    begun = progress.read(data / "models")
    assert (begun.state, begun.stage) == ("running", "start")
    with pytest.raises(ModelError, match="Another model is being installed"):
        installing.start(data, "blip-large")
    until(lambda: progress.read(data / "models").state != "running")
    found = progress.read(data / "models")
    told = found.error or installing.trouble(data)
    assert found.state == "failed", told
    assert "may not be fetched" in told


def test_it_can_be_stopped(data: Path, until: Callable[..., None]) -> None:
    assert not installing.cancel(data)
    installing.start(data, "blip-base")
    assert installing.cancel(data)
    until(lambda: progress.read(data / "models").state == "interrupted")
    assert not installing.cancel(data)
    installing.start(data, "blip-base")  # and begun anew
    assert installing.cancel(data)


def test_what_the_catalogue_does_not_know_is_refused(data: Path) -> None:
    with pytest.raises(ModelError, match="knows no model called"):
        installing.start(data, "../x")
    assert progress.read(data / "models") is None
