"""Describing on another execution provider than the processor's own: OpenVINO, in an environment of its own.

The sample model, the real child, the real command; what OpenVINO has here is the processor as well.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from PIL import Image

import draw
from appliance.assets import asset
from appliance.caption.blip import BlipCaptioner
from appliance.caption.providers import named, offered, opens
from appliance.errors import SettingsError
from appliance.modelstore import choosing, files, installed, manifest, proofs
from appliance.modelstore.build import build
from appliance.records import Kind
from appliance.settings import Settings, load
from appliance.work.child import Child

HERE = Path(__file__).parent
TITLE = "OpenVINO on the processor"
SCENES = 30


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty data folder; loaders of this folder can be named."""
    monkeypatch.syspath_prepend(str(HERE))
    (tmp_path / "data").mkdir()
    found = load(environment={}, file=tmp_path / "none.toml", overrides={"data": str(tmp_path / "data"), "threads": 1})
    return replace(found, model_load_timeout=300)


@pytest.fixture
def pictures() -> list[Image.Image]:
    return [draw.draw(271828, index)[0] for index in range(SCENES)]


@pytest.fixture
def picture(tmp_path: Path, pictures: list[Image.Image]) -> Path:
    pictures[0].save(tmp_path / "scene.png")
    return tmp_path / "scene.png"


@pytest.fixture
def expected(pictures: list[Image.Image]) -> str:
    """What the processor says of `picture`."""
    return BlipCaptioner.load(asset("models/sample/int8"), threads=1).caption(pictures[0])


def record(settings: Settings) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((settings.data / "models" / proofs.FILE).read_text())
    return content


def test_this_onnxruntime_has_openvino_and_no_graphics_chip() -> None:
    assert "OpenVINOExecutionProvider" in onnxruntime.get_available_providers()
    graphics, processor, cpu = offered()
    assert (graphics.gpu, processor.title, cpu.name) == (True, TITLE, "cpu")
    assert [opens(provider) for provider in (graphics, processor, cpu)] == [False, True, True]
    assert named("auto") == named("openvino") == processor


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("variant", ["int8", "float"])
def test_it_describes_as_the_processor_does(
    tmp_path: Path, pictures: list[Image.Image], variant: str, beams: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asset("models/sample/int8")
    if variant == "float":
        monkeypatch.setattr(files, "_MARGIN", 0)
        folder = tmp_path / "sample-float"
        build(asset("models/sample/checkpoint"), folder, id="sample-float", name="Sample", variant="float")
    said = []
    for provider in ("cpu", "openvino"):
        captioner = BlipCaptioner.load(folder, provider=provider, threads=1, beams=beams)
        said.append([captioner.caption(picture) for picture in pictures])
    assert said[0] == said[1]
    assert len(set(said[0])) > SCENES / 2


def test_a_model_that_is_built_here_says_by_which_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is called otherwise, as onnxruntime-gpu is."""
    monkeypatch.setattr(files, "_MARGIN", 0)
    folder = tmp_path / "sample-float"
    build(asset("models/sample/checkpoint"), folder, id="sample-float", name="Sample", variant="float")
    assert manifest.read(folder)["made_with"]["onnxruntime"] == onnxruntime.__version__


def test_auto_takes_it_once_it_is_proved(settings: Settings, picture: Path, expected: str) -> None:
    with Child(settings) as child:
        assert child.describe(picture, Kind.PHOTO, None).text == expected
        assert child.loaded is not None
        assert (child.loaded.provider, child.loaded.warning) == (TITLE, "")
    ((key, proof),) = record(settings).items()
    assert proof["state"] == "good"
    assert onnxruntime.__version__ in key
    with Child(settings) as child:
        assert child.describe(picture, Kind.PHOTO, None).text == expected
        assert child.loaded is not None
        assert child.loaded.provider == TITLE
    assert record(settings) == {key: proof}  # as it was: nothing was proved again


def test_chosen_by_name_it_is_taken_and_so_is_the_processor(settings: Settings, picture: Path, expected: str) -> None:
    for name, title in (("openvino", TITLE), ("cpu", "the processor")):
        with Child(replace(settings, provider=name)) as child:
            assert child.describe(picture, Kind.PHOTO, None).text == expected
            assert child.loaded is not None
            assert (child.loaded.provider, child.loaded.warning) == (title, "")


@pytest.mark.parametrize(
    ("loader", "warning"),
    [
        ("wrong", f"{TITLE} is not used, as it describes a picture otherwise than the processor does."),
        ("idle", "it runs nothing of the model"),
        ("elsewhere", "OpenVINO on the graphics chip and OpenVINO on the processor cannot be used, as the device"),
    ],
)
def test_where_it_is_broken_the_processor_describes_and_says_why(
    settings: Settings, picture: Path, expected: str, loader: str, warning: str
) -> None:
    with Child(settings, loader=f"openvino_fakes:{loader}") as child:
        assert child.describe(picture, Kind.PHOTO, None).text == expected
        assert child.loaded is not None
        assert child.loaded.provider == "the processor"
        assert warning in child.loaded.warning


@pytest.mark.parametrize("loader", ["wrong", "idle", "elsewhere"])
def test_where_it_is_broken_and_chosen_by_name_nothing_is_described(
    settings: Settings, picture: Path, loader: str
) -> None:
    chosen = replace(settings, provider="openvino")
    with Child(chosen, loader=f"openvino_fakes:{loader}") as child, pytest.raises(SettingsError) as caught:
        child.describe(picture, Kind.PHOTO, None)
    assert caught.value.message.startswith("provider cannot be openvino")
    assert "onnxruntime-openvino" in caught.value.next_step


def shoebox(settings: Settings, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "SHOEBOX_STATE": str(settings.data.parent / "state"), **environment}
    command = [sys.executable, "-m", "appliance", *arguments, "--data", str(settings.data)]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=110)


def test_the_command_describes_and_the_doctor_says_on_what(settings: Settings, picture: Path, expected: str) -> None:
    done = shoebox(settings, "describe", str(picture))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{picture}: {expected}\n", "")
    assert shoebox(settings, "library", "new").returncode == 0
    (model,) = [line for line in shoebox(settings, "doctor").stdout.splitlines() if line[7:].startswith("model")]
    assert model.startswith("OK")
    assert model.endswith(f"describes a picture on {TITLE}.")
    refused = shoebox(settings, "describe", str(picture), str(picture), SHOEBOX_PROVIDER="cuda")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("provider cannot be cuda: the onnxruntime on this machine was built without it") == 1


def test_where_it_is_slower_the_processor_describes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the sample model it takes several times as long, and nobody minds, since neither takes long."""
    monkeypatch.setattr(proofs, "QUICK", 0)
    models = settings.data / "models"
    sample = installed.in_use(models).id
    captioner = choosing.load(models, sample, threads=1)
    (proof,) = json.loads((models / proofs.FILE).read_text()).values()
    slower = proof["seconds"] > proofs.SLOWER * proof["processor"]
    assert captioner.provider == ("the processor" if slower else TITLE)
    assert captioner.warnings == ()
