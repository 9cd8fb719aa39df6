"""`shoebox models`, called as the command is: what cannot be installed is told, and the model in use stays as it is."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import cli
from appliance.assets import asset
from appliance.modelstore import files, installed
from appliance.modelstore import install as module
from appliance.modelstore.progress import Recorder
from appliance.modelstore.verify import verify_files
from appliance.settings import SETTINGS
from hub_server import HubServer, serving

SAMPLE = Path(__file__).parents[1] / "models" / "sample" / "checkpoint"
TOKEN = "hf_QmVyZ2VyU2VjcmV0VG9rZW4"  # noqa: S105 (a made-up one)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without settings, no proxy, and no space or memory kept free for real models."""
    for setting in SETTINGS:
        if setting.name != "state":
            monkeypatch.delenv(setting.environment, raising=False)
    for name in ("HF_ENDPOINT", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(files, "_MARGIN", 0)
    monkeypatch.setattr(module, "_LEAST_MEMORY", 0)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A Hugging Face BLIP folder: the sample's own checkpoint."""
    return shutil.copytree(SAMPLE, tmp_path / "blip")


@pytest.fixture
def models(data: Path) -> Path:
    return data / "models"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A hub that lets nobody in without a token, and has nothing."""
    with serving(HubServer(tmp_path, token=TOKEN)) as server:
        yield server


def run(data: Path, *arguments: str) -> int:
    return cli.main(["models", *arguments, "--data", str(data)])


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def config(change: dict[str, Any]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))

    return spoil


def cut(name: str, size: int) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        with (folder / name).open("r+b") as file:
            file.truncate(size)

    return spoil


def half_copied(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model.safetensors.part")


def other_model(folder: Path) -> None:
    """A BLIP whose config.json is another BLIP's."""
    path = folder / "config.json"
    content = json.loads(path.read_text())
    content["text_config"]["hidden_size"] *= 2
    path.write_text(json.dumps(content))


def harmful(folder: Path) -> None:
    """Weights that would run a command."""
    (folder / "model.safetensors").unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02cos\nsystem\nX\x05\x00\x00\x00false\x85R.")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated weights": (cut("model.safetensors", 100_000), "model.safetensors is cut off or damaged"),
    "empty weights": (cut("model.safetensors", 0), "model.safetensors is cut off or damaged"),
    "truncated tokenizer": (cut("tokenizer.json", 500), "tokenizer.json cannot be read"),
    "truncated config": (cut("config.json", 50), "config.json cannot be read"),
    "half copied": (half_copied, "lacks model.safetensors"),
    "another model": (config({"model_type": "bert", "architectures": ["BertModel"]}), "but BertModel"),
    "BLIP that answers": (config({"architectures": ["BlipForQuestionAnswering"]}), "but BlipForQuestionAnswering"),
    "BLIP-2": (
        config({"model_type": "blip-2", "architectures": ["Blip2ForConditionalGeneration"]}),
        "but Blip2ForConditionalGeneration",
    ),
    "another BLIP's config": (other_model, "has the shape"),
    "a pickle that means harm": (harmful, "torch does not write|asks for os.system"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_what_cannot_be_installed_is_told_and_the_model_in_use_stays(
    data: Path, models: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    shutil.copytree(asset("models/sample/int8"), models / "sample-copy")
    manifest = models / "sample-copy" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"id": "sample-int8"', '"id": "sample-copy"'))
    assert run(data, "use", "sample-copy") == 0
    before = tree(models)
    capsys.readouterr()
    spoil, said = SPOILT[kind]
    spoil(checkpoint)
    assert run(data, "install", "--from", str(checkpoint)) == 1
    told = capsys.readouterr().err
    assert any(part in told for part in said.split("|")), told
    assert str(checkpoint) in told
    assert "Traceback" not in told
    assert installed.in_use(models).id == "sample-copy"
    verify_files(models / "sample-copy")
    left = tree(models)
    assert {name: left[name] for name in before} == before
    assert set(left) - set(before) <= {".lock", ".progress.json"}, "nothing half is left"


def test_a_folder_is_installed_and_the_list_tells(
    data: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "install", "--from", str(checkpoint)) == 0
    told = capsys.readouterr()
    assert told.out == "blip (own-blip-int8) is installed and in use.\n"
    assert told.err.split() == ["build", "describe", "quantize", "check"], "one line a stage where it is no terminal"
    assert run(data, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("*")] == [["*", "own-blip-int8"]]
    assert not [line for line in lines if line.startswith((">", "!"))]
    assert run(data, "install", "sample") == 0
    assert capsys.readouterr().out == "Shoebox sample (sample-int8) is installed and in use.\n"


def test_the_list_tells_of_an_installation(data: Path, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models.mkdir()
    recorder = Recorder(models, "blip-base-int8")
    assert run(data, "list") == 0
    assert "> blip-base-int8          is being installed: start, 0 %\n" in capsys.readouterr().out
    assert run(data, "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)["installation"]["state"] == "running"
    path = models / ".progress.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"process": "gone", "stage": "download"}))
    assert run(data, "list") == 0
    assert "! blip-base-int8          was interrupted: download, 0 %. Run the same command" in capsys.readouterr().out
    recorder.end("No room.")
    assert run(data, "list") == 0
    assert "! blip-base-int8          was not installed: No room.\n" in capsys.readouterr().out
    recorder.end()
    assert run(data, "list") == 0
    assert "blip-base-int8" not in capsys.readouterr().out


def test_hugging_faces_own_variables_are_honoured_and_the_token_is_shown_nowhere(
    data: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    assert run(data, "install", "blip-base") == 1
    assert "HF_TOKEN=… before it" in capsys.readouterr().err
    monkeypatch.setenv("HF_TOKEN", f" {TOKEN}\n")
    assert run(data, "install", "blip-base") == 1
    told = capsys.readouterr()
    assert "is not there (the server answered 404)" in told.err, "it was let in"
    assert [asked.authorization for asked in hub.asked] == [None, f"Bearer {TOKEN}"]
    assert cli.main(["settings", "list"]) == 0
    everything = told.out + told.err + capsys.readouterr().out
    assert TOKEN not in everything
    assert not [name for name, content in tree(data).items() if TOKEN.encode() in content]
