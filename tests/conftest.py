"""What every test may ask for: settings that touch nothing outside a temporary folder, and that folder."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from appliance import settings as settings_module
from appliance.settings import Settings

# A machine that is busy for a moment is no fault of the code that was at work then.
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _hears_ctrl_c() -> None:
    """Take Ctrl+C, as do the processes that a test starts; whatever a shell starts in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _remembers_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what a box remembers of its library in a temporary folder: here, and in every process that a test starts."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOEBOX_STATE", str(state))
        patch.setattr(settings_module, "_standard_state", lambda _: state)
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(data: Path) -> Settings:
    """The defaults, on an empty data folder and a free port, whatever this machine's environment and /etc say."""
    return settings_module.load(
        environment={},
        file=data / "none.toml",
        overrides={"data": str(data), "host": "127.0.0.1", "port": 0, "threads": 1},
    )
