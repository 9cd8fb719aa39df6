"""Models are installed from a hub or a folder: whole and in use, or not at all."""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from appliance.errors import CheckpointError, DownloadError, ModelError, StorageFullError, TooLittleMemoryError
from appliance.modelstore import files, installed, progress
from appliance.modelstore import install as module
from appliance.modelstore.build import build
from appliance.modelstore.catalog import CatalogFile, CatalogModel
from appliance.modelstore.install import install, install_folder

Make = Callable[..., Path]
NAMES = ("config.json", "preprocessor_config.json", "tokenizer.json", "pytorch_model.bin")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, and no space or memory kept free for real models."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(files, "_MARGIN", 0)
    monkeypatch.setattr(module, "_LEAST_MEMORY", 0)


@pytest.fixture
def models(data: Path) -> Path:
    """The models folder of an empty box."""
    return data / "models"


@pytest.fixture
def entry(make_checkpoint: Make) -> CatalogModel:
    """A catalogue entry for the tiny BLIP; its files lie where the hub below serves them."""
    folder = make_checkpoint("hub/owner/tiny/resolve/abc", form="bin")
    described = [
        CatalogFile(name, (folder / name).stat().st_size, hashlib.sha256((folder / name).read_bytes()).hexdigest())
        for name in NAMES
    ]
    return CatalogModel(
        "tiny", "Tiny BLIP", "owner/tiny", "abc", "MIT", ("int8", "float"), {"int8": 1}, tuple(described)
    )


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """The address of a server on this machine that serves the folder `hub`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "hub")))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_model_is_downloaded_built_and_used(models: Path, entry: CatalogModel, hub: str) -> None:
    stages: list[str] = []
    model = install(models, "tiny", hub=hub, entries=[entry], progress=lambda stage, *_: stages.append(stage))
    assert (model.id, model.name, model.licence, model.sample) == ("tiny-int8", "Tiny BLIP", "MIT", False)
    assert installed.in_use(models) == model
    assert list(dict.fromkeys(stages)) == ["download", "build", "describe", "quantize", "check"]
    written = manifest(models / "tiny-int8")
    assert (written["source"]["repository"], written["source"]["revision"]) == ("owner/tiny", "abc")
    assert {name: file["sha256"] for name, file in written["source"]["files"].items()} == {
        file.name: file.sha256 for file in entry.files
    }
    assert names(models) == {".downloads", ".lock", ".progress.json", "in-use", "tiny-int8"}
    assert names(models / ".downloads") == set()


def test_a_model_that_is_installed_is_only_used(models: Path, entry: CatalogModel, hub: str) -> None:
    first = install(models, "tiny", hub=hub, entries=[entry])
    built = (models / "tiny-int8").stat()
    (models / "in-use").unlink()
    assert install(models, "tiny", hub="http://127.0.0.1:9", entries=[entry]) == first
    assert (models / "tiny-int8").stat().st_ino == built.st_ino
    assert installed.in_use(models) == first


def test_two_variants_stand_beside_each_other(models: Path, entry: CatalogModel, hub: str) -> None:
    install(models, "tiny", hub=hub, entries=[entry])
    assert install(models, "tiny", variant="float", hub=hub, entries=[entry]).id == "tiny-float"
    assert {"tiny-int8", "tiny-float"} < names(models)


def test_a_damaged_model_is_replaced(models: Path, entry: CatalogModel, hub: str) -> None:
    install(models, "tiny", hub=hub, entries=[entry])
    (models / "tiny-int8" / "encoder.onnx").write_bytes(b"damaged")
    assert install(models, "tiny", hub=hub, entries=[entry]).id == "tiny-int8"
    assert installed.problems(models) == []
    assert not [name for name in names(models) if name.startswith((".new", ".removed", ".building"))]


def test_a_newer_revision_replaces_an_older_one(models: Path, entry: CatalogModel, hub: str, tmp_path: Path) -> None:
    install(models, "tiny", hub=hub, entries=[entry])
    shutil.copytree(tmp_path / "hub/owner/tiny/resolve/abc", tmp_path / "hub/owner/tiny/resolve/def")
    newer = CatalogModel("tiny", "Tiny BLIP", "owner/tiny", "def", "MIT", ("int8",), {"int8": 1}, entry.files)
    install(models, "tiny", hub=hub, entries=[newer])
    assert manifest(models / "tiny-int8")["source"]["revision"] == "def"


@pytest.mark.parametrize("file", ["config.json", "pytorch_model.bin"])
def test_a_hub_that_sends_something_else_installs_nothing(
    models: Path, entry: CatalogModel, hub: str, tmp_path: Path, file: str
) -> None:
    path = tmp_path / "hub/owner/tiny/resolve/abc" / file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DownloadError, match=file):
        install(models, "tiny", hub=hub, entries=[entry])
    assert not (models / "tiny-int8").exists()
    assert not (models / "in-use").exists()


def test_an_installation_cut_off_is_taken_up_by_the_next(
    models: Path, entry: CatalogModel, hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        (models / ".building-.new-tiny-int8" / "float").mkdir(parents=True)  # as a power cut would leave it
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install(models, "tiny", hub=hub, entries=[entry])
    assert [model.id for model in installed.installed(models) if not model.sample] == []
    monkeypatch.setattr(module, "build", build)
    # What was downloaded is still there: the hub is not asked again.
    (downloads,) = (models / ".downloads").iterdir()
    assert names(downloads) == set(NAMES)
    assert install(models, "tiny", hub=hub, entries=[entry]).id == "tiny-int8"
    assert names(models) == {".downloads", ".lock", ".progress.json", "in-use", "tiny-int8"}


def test_only_one_installation_at_a_time(models: Path, entry: CatalogModel, hub: str) -> None:
    models.mkdir()
    with (models / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="being installed"):
            install(models, "tiny", hub=hub, entries=[entry])
    install(models, "tiny", hub=hub, entries=[entry])


def test_too_little_room_is_told_before_the_download(
    models: Path, entry: CatalogModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MARGIN", 1 << 60)
    with pytest.raises(StorageFullError):
        install(models, "tiny", hub="http://127.0.0.1:9", entries=[entry])


def test_too_little_memory_is_told_before_the_download(
    models: Path, entry: CatalogModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEAST_MEMORY", 600 << 20)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 948000 kB\nMemFree: 1 kB\nMemAvailable: 380000 kB\n")
    monkeypatch.setattr(module, "require_memory", partial(module.require_memory, tmp_path))
    for start in (
        lambda: install(models, "tiny", hub="http://127.0.0.1:9", entries=[entry]),
        lambda: install_folder(models, tmp_path / "hub/owner/tiny/resolve/abc", entries=[entry]),
    ):
        with pytest.raises(TooLittleMemoryError, match=r"takes 0\.6 GB of memory, and 0\.4 GB are free") as caught:
            start()
        assert "Stop Shoebox meanwhile" in caught.value.next_step
    (tmp_path / "proc/meminfo").write_text("MemTotal: 948000 kB\nMemFree: 1 kB\nMemAvailable: 680000 kB\n")
    assert install_folder(models, tmp_path / "hub/owner/tiny/resolve/abc", entries=[entry]).id == "tiny-int8"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("running BiasGelu: std::bad_alloc")])
def test_memory_that_runs_out_is_told_in_a_sentence(
    models: Path, checkpoint_folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run_out(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "build", run_out)
    with pytest.raises(TooLittleMemoryError, match="needs more memory than is free"):
        install_folder(models, checkpoint_folder, entries=[])
    assert [(found.state, found.error[:8]) for found in [progress.read(models)] if found] == [("failed", "Building")]


def test_the_sample_is_shipped_and_only_used(models: Path, entry: CatalogModel, hub: str) -> None:
    install(models, "tiny", hub=hub, entries=[entry])
    model = install(models, "sample", hub="http://127.0.0.1:9")
    assert (model.id, model.sample) == ("sample-int8", True)
    assert installed.in_use(models) == model
    with pytest.raises(ModelError, match="no variant float"):
        install(models, "sample", variant="float")


def test_the_same_checkpoint_gives_the_same_folder_byte_for_byte(
    models: Path, entry: CatalogModel, hub: str, tmp_path: Path
) -> None:
    source = tmp_path / "hub/owner/tiny/resolve/abc"
    install_folder(models, source, entries=[entry])
    first = contents(models / "tiny-int8")
    shutil.rmtree(models)
    install(models, "tiny", hub=hub, entries=[entry])
    assert contents(models / "tiny-int8") == first, "it does not matter whether it came from the hub or from a stick"


def test_bin_and_safetensors_differ_in_nothing_but_what_names_their_source(models: Path, make_checkpoint: Make) -> None:
    for form in ("bin", "safetensors"):
        install_folder(models, make_checkpoint(f"{form}/same", form=form), entries=[])
        shutil.copytree(models / "own-same-int8", models / form)
    one, other = contents(models / "bin"), contents(models / "safetensors")
    assert {name for name in one if one[name] != other[name]} == {"manifest.json"}
    one_manifest, other_manifest = manifest(models / "bin"), manifest(models / "safetensors")
    assert {key for key in one_manifest if one_manifest[key] != other_manifest[key]} == {"source"}


def test_where_folders_cannot_change_places_the_former_is_never_lost(
    models: Path, entry: CatalogModel, hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(models, "tiny", hub=hub, entries=[entry])
    shutil.copytree(tmp_path / "hub/owner/tiny/resolve/abc", tmp_path / "hub/owner/tiny/resolve/def")
    newer = replace(entry, revision="def")
    monkeypatch.setattr(module, "exchange", lambda *_: False)
    rename = Path.rename

    def cut_off(path: Path, target: Path) -> Path:
        if path.name == ".new-tiny-int8":
            raise KeyboardInterrupt  # as a power cut would, with nothing in the former one's place
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", cut_off)
    with pytest.raises(KeyboardInterrupt):
        install(models, "tiny", hub=hub, entries=[newer])
    monkeypatch.setattr(Path, "rename", rename)
    assert not (models / "tiny-int8").exists()
    with pytest.raises(ModelError):  # whatever is installed next puts it back, also where that fails
        install_folder(models, tmp_path / "hub/owner/tiny/resolve/abc", variant="Q", entries=[])
    assert manifest(models / "tiny-int8")["source"]["revision"] == "abc"
    install(models, "tiny", hub=hub, entries=[newer])
    assert manifest(models / "tiny-int8")["source"]["revision"] == "def"
    assert not [name for name in names(models) if name.startswith((".new", ".removed", ".building"))]


def test_unknown_names_and_variants(models: Path, entry: CatalogModel) -> None:
    with pytest.raises(ModelError, match="knows no model called huge"):
        install(models, "huge", entries=[entry])
    with pytest.raises(ModelError, match="no variant int4"):
        install(models, "tiny", variant="int4", entries=[entry])
    assert not models.exists()


def test_a_folder_with_a_catalogue_models_files_is_that_model(
    models: Path, entry: CatalogModel, tmp_path: Path
) -> None:
    model = install_folder(models, tmp_path / "hub/owner/tiny/resolve/abc", entries=[entry])
    assert (model.id, model.name, model.licence) == ("tiny-int8", "Tiny BLIP", "MIT")
    assert manifest(models / "tiny-int8")["source"]["revision"] == "abc"
    assert installed.in_use(models) == model
    assert install(models, "tiny", hub="http://127.0.0.1:9", entries=[entry]) == model


def test_another_folder_gets_a_name_of_its_own(models: Path, make_checkpoint: Make, entry: CatalogModel) -> None:
    folder = make_checkpoint("My BLIP (fine-tuned)")
    model = install_folder(models, folder, variant="float", entries=[entry])
    assert (model.id, model.name) == ("own-my-blip-fine-tuned-float", "My BLIP (fine-tuned)")
    assert installed.in_use(models) == model
    assert install_folder(models, folder, variant="float", entries=[entry]) == model


def test_the_folder_is_not_touched(models: Path, checkpoint_folder: Path, entry: CatalogModel) -> None:
    before = {path.name: path.read_bytes() for path in checkpoint_folder.iterdir()}
    install_folder(models, checkpoint_folder, entries=[entry])
    assert {path.name: path.read_bytes() for path in checkpoint_folder.iterdir()} == before


def test_a_folder_that_is_no_checkpoint(models: Path, tmp_path: Path, entry: CatalogModel) -> None:
    with pytest.raises(CheckpointError):
        install_folder(models, tmp_path, entries=[entry])
    with pytest.raises(ModelError, match="can be called"):
        install_folder(models, tmp_path / "hub/owner/tiny/resolve/abc", variant="Q", entries=[])
    assert not installed.problems(models)
