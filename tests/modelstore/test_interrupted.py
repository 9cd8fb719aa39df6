"""An installation is killed with kill -9 wherever it is: the model in use stays whole, the same command finishes."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import random_blip
from appliance.modelstore import files, installed, manifest, progress
from appliance.modelstore import install as module
from appliance.modelstore.install import install
from appliance.modelstore.verify import verify_files
from hub_server import HubServer, serving

Make = Callable[..., Path]
OLDER, NEWER = "a" * 40, "b" * 40
# Installs as the command does, and kills itself where it is told.
CHILD = """
import os, signal, sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from pathlib import Path
import random_blip
from appliance.modelstore import files, install as module
models, checkpoint, hub, revision, moment = sys.argv[2:]
files._MARGIN = module._LEAST_MEMORY = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def around(name, when):
    before = getattr(module, name)
    def changed(*given, **named):
        if when == "before":
            die()
        before(*given, **named)
        die()
    setattr(module, name, changed)

def told(stage, done, total):
    if stage == moment and done > total // 3:
        die()

when, _, name = moment.partition(" ")
if name:
    around(name, when)
module.install(
    Path(models), "blip-base", hub=hub, entries=[random_blip.entry(Path(checkpoint), revision)], progress=told
)
"""
MOMENTS = ["download", "build", "quantize", "check", "before exchange", "after exchange", "before use", "after use"]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, and no space or memory kept free for real models."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(files, "_MARGIN", 0)
    monkeypatch.setattr(module, "_LEAST_MEMORY", 0)


@pytest.fixture
def hub(make_checkpoint: Make) -> Iterator[HubServer]:
    """A hub that has the tiny BLIP."""
    with serving(HubServer(make_checkpoint("hub", form="bin"), revision=OLDER)) as server:
        yield server


def test_killed_anywhere_the_model_in_use_stays_whole_and_the_same_command_finishes(hub: HubServer, data: Path) -> None:
    models = data / "models"
    install(models, "blip-base", hub=hub.address, entries=[random_blip.entry(hub.folder, OLDER)])
    hub.revision = NEWER
    entry = random_blip.entry(hub.folder, NEWER)
    box = shutil.copytree(data, data.with_name("before"))
    for moment in MOMENTS:
        shutil.rmtree(data)
        shutil.copytree(box, data)
        given = [str(models), str(hub.folder), hub.address, NEWER, moment]
        child = subprocess.run([sys.executable, "-c", CHILD, ":".join(map(str, sys.path)), *given])
        assert child.returncode == -signal.SIGKILL, moment

        # Whoever looks now finds a whole model of one revision or the other, and it is the one in use.
        assert installed.in_use(models).id == "blip-base-int8", moment
        verify_files(models / "blip-base-int8")
        revision = manifest.read(models / "blip-base-int8")["source"]["revision"]
        assert revision == (NEWER if moment.startswith("after") or moment == "before use" else OLDER), moment
        assert installed.problems(models) == []
        found = progress.read(models)
        assert found is not None
        assert found.state == "interrupted", moment

        hub.asked.clear()
        install(models, "blip-base", hub=hub.address, entries=[entry])
        assert manifest.read(models / "blip-base-int8")["source"]["revision"] == NEWER
        verify_files(models / "blip-base-int8")
        left = {path.name for path in models.iterdir()}
        assert left == {".downloads", ".lock", ".progress.json", "in-use", "blip-base-int8"}, moment
        assert list((models / ".downloads").iterdir()) == []
        weights = [asked.range for asked in hub.of("store")]
        assert len(weights) == (1 if moment == "download" else 0), "what had come is not fetched again"
        assert weights != [None], "what had come of it is not fetched again"
        found = progress.read(models)
        assert found is not None
        assert found.state == "finished", moment
