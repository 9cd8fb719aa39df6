"""Installing a model at the page's wish: `shoebox models install` in a process of its own, which the page looks at."""

from pathlib import Path

from appliance.device import running
from appliance.errors import ModelError
from appliance.modelstore import catalog, progress
from appliance.work import detached

_LOG = ".install.log"


def start(data: Path, name: str) -> None:
    """Install the model that the catalogue calls `name`, in the variant that suits this machine, and use it.

    Raises ModelError where there is none of that name, or another one is being installed.
    """
    models = data / "models"
    catalog.find(name, catalog.catalog())
    found = progress.read(models)
    if found is not None and found.state == "running":
        raise ModelError("Another model is being installed.", "Wait until that is done, or stop it.")
    pid = detached.start("appliance", ["models", "install", name, "--data", str(data)], models / _LOG)
    progress.Recorder(models, name, pid=pid)  # until it writes down itself how far it is


def cancel(data: Path) -> bool:
    """End the installation that is under way; return whether there was one. What was downloaded is kept."""
    found = progress.read(data / "models")
    return found is not None and found.finished is None and running.end(found.pid, found.process)


def trouble(data: Path) -> str:
    """Return why the latest installation ended before it could write that down, "" where nothing is known."""
    return detached.said(data / "models" / _LOG)
