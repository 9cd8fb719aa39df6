"""Which variant of a model is taken, and built, for a graphics card and for a processor."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.caption import providers
from appliance.caption.providers import CPU, Provider
from appliance.errors import ModelError, SettingsError
from appliance.modelstore import files, variants
from appliance.modelstore.build import build


@pytest.fixture
def add(checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a model into the models folder; of its variant only the name is true."""
    monkeypatch.setattr(files, "_MARGIN", 0)
    built = tmp_path / "built"
    build(checkpoint_folder, built, id="built", name="BLIP", variant="float")

    def add(id: str, variant: str) -> Path:
        folder = tmp_path / "models" / id
        shutil.copytree(built, folder)
        about = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**about, "id": id, "variant": variant}))
        return folder.parent

    return add


@pytest.mark.parametrize(
    ("there", "used", "gpu", "expected"),
    [
        ("int8 fp16", "int8", True, "fp16"),
        ("int8 fp16", "fp16", False, "int8"),
        ("int8 fp16", "int8", False, "int8"),
        ("int8 fp16", "fp16", True, "fp16"),
        ("int8 float", "int8", True, "float"),
        ("int8 float", "float", False, "float"),  # its owner chose it, and it suits
        ("mixed float fp16", "fp16", False, "mixed"),
        ("int8", "int8", True, "int8"),
        ("fp16", "fp16", False, "fp16"),
    ],
)
def test_the_installed_variant_that_suits_is_taken(
    add: Callable[..., Path], there: str, used: str, gpu: bool, expected: str
) -> None:
    for variant in there.split():
        models = add(f"blip-base-{variant}", variant)
    add("blip-large-fp16", "fp16")
    add("blip-large-int8", "int8")
    assert variants.suiting(models, f"blip-base-{used}", gpu=gpu).id == f"blip-base-{expected}"


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="blip-base"):
        variants.suiting(tmp_path, "blip-base-int8", gpu=True)


def test_what_is_installed_depends_on_whether_a_graphics_card_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert variants.to_build("cpu") == variants.to_build("auto") == "int8"
    with pytest.raises(SettingsError, match="cuda"):
        variants.to_build("cuda")
    card = Provider("cuda", "CUDA", "CPUExecutionProvider", gpu=True)
    monkeypatch.setattr(providers, "PROVIDERS", (card, CPU))
    assert variants.to_build("auto") == variants.to_build("cuda") == "fp16"
    monkeypatch.setattr(providers, "opens", lambda provider: not provider.gpu)
    assert variants.to_build("auto") == "int8"
