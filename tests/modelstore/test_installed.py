"""Which models there are and which is in use, whatever lies in the models folder."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import ModelError
from appliance.modelstore import files, installed
from appliance.modelstore.build import build


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder that is not there yet."""
    return tmp_path / "data" / "models"


@pytest.fixture
def add(checkpoint_folder: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that puts a model with an id there."""
    monkeypatch.setattr(files, "_MARGIN", 0)

    def build_one(id: str) -> Path:
        build(checkpoint_folder, models / id, id=id, name=id.title(), variant="float")
        return models / id

    return build_one


@pytest.fixture
def sample(checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped sample, of random weights here."""
    monkeypatch.setattr(files, "_MARGIN", 0)
    folder = tmp_path / "shipped"
    build(
        checkpoint_folder, folder, id="sample-int8", name="Sample", variant="float", sample=True, notice="Only shapes."
    )
    monkeypatch.setattr(installed, "asset", lambda name: folder)
    return folder


@pytest.fixture
def no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose sample was not shipped."""

    def missing(name: str) -> Path:
        raise FileNotFoundError(name)

    monkeypatch.setattr(installed, "asset", missing)


def ids(models: Path) -> list[str]:
    return [model.id for model in installed.installed(models)]


@pytest.mark.usefixtures("sample")
def test_a_new_box_uses_the_sample(models: Path, sample: Path) -> None:
    assert ids(models) == ["sample-int8"]
    model = installed.in_use(models)
    assert (model.id, model.sample, model.notice) == ("sample-int8", True, "Only shapes.")
    assert installed.folder(models, "sample-int8") == sample
    assert installed.problems(models) == []
    assert not models.exists()


@pytest.mark.usefixtures("sample")
def test_the_sample_comes_first_and_the_others_by_id(models: Path, add: Callable[[str], Path]) -> None:
    add("zebra")
    add("ape")
    assert ids(models) == ["sample-int8", "ape", "zebra"]
    assert installed.folder(models, "ape") == models / "ape"


@pytest.mark.usefixtures("sample")
def test_the_model_in_use_is_the_chosen_one(models: Path, add: Callable[[str], Path]) -> None:
    add("ape")
    assert installed.in_use(models).id == "sample-int8"
    assert installed.use(models, "ape").id == "ape"
    assert installed.in_use(models).id == "ape"
    assert (models / "in-use").read_text() == "ape\n"
    assert installed.use(models, "sample-int8").sample
    assert installed.in_use(models).id == "sample-int8"


@pytest.mark.usefixtures("sample")
def test_the_sample_can_be_chosen_on_a_new_box(models: Path) -> None:
    installed.use(models, "sample-int8")
    assert installed.in_use(models).id == "sample-int8"


@pytest.mark.usefixtures("sample")
def test_a_model_that_is_not_there_cannot_be_used(models: Path) -> None:
    with pytest.raises(ModelError, match="Installed: sample-int8") as caught:
        installed.use(models, "blip-base-int8")
    assert "blip-base-int8 is not installed" in str(caught.value)
    assert installed.in_use(models).id == "sample-int8"


@pytest.mark.usefixtures("sample")
def test_damaged_folders_are_told_and_hinder_nothing(models: Path, add: Callable[[str], Path]) -> None:
    add("ape")
    (add("cut") / "encoder.onnx").write_bytes(b"")
    (add("none") / "manifest.json").unlink()
    (models / "empty").mkdir()
    add("old").rename(models / "renamed")
    shutil.copytree(models / "ape", models / ".building-bee")
    (models / "notes.txt").write_text("mine")
    assert ids(models) == ["sample-int8", "ape"]
    assert sorted(problem.name for problem in installed.problems(models)) == ["cut", "empty", "none", "renamed"]
    with pytest.raises(ModelError, match="cut off"):
        installed.use(models, "cut")


@pytest.mark.usefixtures("sample")
def test_where_the_chosen_model_is_damaged_the_sample_stands_in(models: Path, add: Callable[[str], Path]) -> None:
    folder = add("ape")
    installed.use(models, "ape")
    shutil.rmtree(folder)
    assert installed.in_use(models).id == "sample-int8"
    (problem,) = installed.problems(models)
    assert problem.name == "ape"
    assert "not installed" in problem.error.message


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"../../etc"])
def test_a_damaged_choice_does_not_stop_the_box(models: Path, content: bytes) -> None:
    models.mkdir(parents=True)
    (models / "in-use").write_bytes(content)
    assert installed.in_use(models).id == "sample-int8"
    assert installed.problems(models)


@pytest.mark.usefixtures("no_sample")
def test_without_the_sample(models: Path, add: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="No model is installed"):
        installed.in_use(models)
    add("ape")
    assert installed.in_use(models).id == "ape"


def test_a_damaged_sample_is_told(models: Path, sample: Path) -> None:
    (sample / "decoder.onnx").unlink()
    assert installed.installed(models) == []
    assert [problem.name for problem in installed.problems(models)] == ["sample-int8"]


@pytest.mark.usefixtures("sample")
def test_a_model_is_removed_unless_it_is_in_use(models: Path, add: Callable[[str], Path]) -> None:
    add("ape")
    installed.use(models, "ape")
    with pytest.raises(ModelError, match="is in use"):
        installed.remove(models, "ape")
    installed.use(models, "sample-int8")
    installed.remove(models, "ape")
    assert ids(models) == ["sample-int8"]
    assert [path.name for path in models.iterdir()] == ["in-use"]


@pytest.mark.parametrize("id", ["none", "..", "../data", "in-use", "", ".lock"])
def test_only_models_are_removed(models: Path, sample: Path, id: str) -> None:
    installed.use(models, "sample-int8")
    with pytest.raises(ModelError, match="There is no model"):
        installed.remove(models, id)
    assert (models / "in-use").exists()


def test_the_page_lists_models_without_the_libraries_that_run_them() -> None:
    heavy = "{'numpy', 'onnx', 'onnxruntime', 'safetensors', 'tokenizers', 'httpx', 'PIL'}"
    code = (
        f"import sys, appliance.modelstore.installed, appliance.modelstore.catalog; print({heavy} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
