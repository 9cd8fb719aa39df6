"""BLIP-base at full size with random weights comes from a hub on this machine, is converted, and describes.

The hub serves the real side files. The hashes of the real weights cannot be met here, so the model is installed by a
catalogue of this test's own, which the command itself does not take from anywhere.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

import random_blip
from appliance.modelstore import installed
from appliance.modelstore.checkpoint import Checkpoint
from hub_server import HubServer, serving

pytestmark = pytest.mark.timeout(1800)
MOST_MEMORY = 700_000  # kB, at the peak of a conversion
# Installs as the command does and prints its largest resident set in kB, Linux's own measure.
INSTALL = """
import json, sys
sys.path[:0] = sys.argv[1].split(":")
from pathlib import Path
import random_blip
from appliance.modelstore.install import install, install_folder
models, folder, hub, revision = sys.argv[2:]
steps = {}
told = lambda stage, done, total: steps.setdefault(stage, set()).add(100 * done // total)
if hub:
    install(Path(models), "blip-base", hub=hub, entries=[random_blip.entry(Path(folder), revision)], progress=told)
else:
    install_folder(Path(models), Path(folder), entries=[], progress=told)
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps({"peak": peak, "steps": {stage: len(seen) for stage, seen in steps.items()}}))
"""


def install(models: Path, folder: Path, hub: str = "", revision: str = "main") -> dict[str, Any]:
    """Install in a process of its own; return its peak memory in kB and how many percents each stage told."""
    given = [str(models), str(folder), hub, revision]
    done = subprocess.run(
        [sys.executable, "-c", INSTALL, ":".join(map(str, sys.path)), *given], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    print(f"{folder.name}: {result['peak'] / 1000:.0f} MB")
    return result


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hub's side files of BLIP-base and random weights, as pytorch_model.bin."""
    return random_blip.base(tmp_path_factory.mktemp("full") / "blip-base")


@pytest.fixture(scope="module")
def hub(checkpoint: Path) -> Iterator[HubServer]:
    with serving(HubServer(checkpoint)) as server:
        yield server


@pytest.fixture(scope="module")
def box(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a box on which it was installed, over a bad line."""
    data = tmp_path_factory.mktemp("box")
    hub.answers = [(429, {"Retry-After": "1"}), (503, {})]
    hub.cuts = [100 << 20, 300 << 20, 5]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        told = install(data / "models", hub.folder, hub.address, hub.revision)
    assert told["peak"] < MOST_MEMORY
    assert all(told["steps"][stage] > 50 for stage in ("download", "build", "quantize")), told["steps"]
    return data


def test_the_weights_are_as_large_as_the_hubs(checkpoint: Path) -> None:
    size = (checkpoint / "pytorch_model.bin").stat().st_size
    assert abs(size - 989_820_849) < 200_000, "the names in torch's own list are a little longer"


def test_it_came_in_pieces_and_each_went_on_where_the_last_was_cut(hub: HubServer, box: Path) -> None:
    # On a busy machine a transfer may be given up, and asked for anew, before its first byte.
    places = [int((asked.range or "bytes=0-").removeprefix("bytes=").removesuffix("-")) for asked in hub.of("store")]
    assert places == sorted(places)
    assert len(set(places)) >= 3
    assert places[-1] > 300 << 20
    assert list((box / "models" / ".downloads").iterdir()) == []


def test_it_describes_through_the_command(box: Path, tmp_path: Path) -> None:
    assert installed.in_use(box / "models").id == "blip-base-int8"
    spots = np.random.default_rng(1).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(spots).resize((800, 600)).save(tmp_path / "spots.jpg")
    command = [sys.executable, "-m", "appliance", "describe", "--json", "--data", str(box), str(tmp_path / "spots.jpg")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["model"] == "blip-base-int8"
    assert line["description"]


def test_bin_and_safetensors_and_twice_give_the_same_folder_within_the_memory(
    checkpoint: Path, box: Path, tmp_path: Path
) -> None:
    other = tmp_path / "same" / "blip"
    other.mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json", "tokenizer.json"):
        (other / name).write_bytes((checkpoint / name).read_bytes())
    weights = Checkpoint.open(checkpoint).tensors
    save_file({name: weights[name] for name in weights}, other / "model.safetensors")
    del weights
    made = {}
    for turn in ("one", "two"):
        assert install(tmp_path / turn, other)["peak"] < MOST_MEMORY
        made[turn] = contents(tmp_path / turn / "own-blip-int8")
    assert made["one"] == made["two"], "byte for byte, the manifest too"
    first = contents(box / "models" / "blip-base-int8")
    assert {name for name in first if first[name] != made["one"][name]} == {"manifest.json"}
    one, other_one = json.loads(first["manifest.json"]), json.loads(made["one"]["manifest.json"])
    assert {key for key in one if one[key] != other_one[key]} == {"id", "name", "licence", "source"}
