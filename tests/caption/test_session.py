"""Sessions: their options, and graphs and providers that cannot be opened."""

from pathlib import Path

import pytest

from appliance.caption import session
from appliance.caption.providers import PROVIDERS
from appliance.caption.session import open_session, options, sums_overflow
from appliance.errors import ModelError, SettingsError


def test_options_are_those_that_suit_a_small_box() -> None:
    made = options(3)
    assert made.intra_op_num_threads == 3
    assert made.get_session_config_entry("session.force_spinning_stop") == "1"


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "flags : fpu avx2 avx512f", True),
        ("x86_64", "flags : fpu avx512f avx512_vnni", False),
        ("AMD64", "flags : fpu avx2 avx_vnni", False),
        ("x86_64", None, True),
        ("aarch64", "Features : fp asimd", False),
    ],
)
def test_old_x86_is_asked_for_exact_products(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, flags: str | None, expected: bool
) -> None:
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(flags)
    assert sums_overflow(machine, tmp_path / "cpuinfo") == expected
    monkeypatch.setattr(session, "sums_overflow", lambda: expected)
    if expected:
        assert options(1).get_session_config_entry("session.x64quantprecision") == "1"
    else:
        with pytest.raises(RuntimeError):
            options(1).get_session_config_entry("session.x64quantprecision")


@pytest.mark.parametrize("content", [None, b"", b"not a graph"])
def test_a_missing_or_damaged_graph_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "encoder.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"encoder\.onnx") as caught:
        open_session(path)
    assert caught.value.next_step == "Install the model again."


def test_a_provider_that_onnxruntime_does_not_take_is_told(model_folder: Path) -> None:
    cuda = next(provider for provider in PROVIDERS if provider.name == "cuda")
    with pytest.raises(SettingsError, match="cannot be cuda") as caught, pytest.warns(UserWarning, match="CUDA"):
        open_session(model_folder / "encoder.onnx", cuda)
    assert "onnxruntime-gpu" in caught.value.next_step


def test_a_lean_session_keeps_no_second_copy_and_says_the_same(tmp_path: Path) -> None:
    from PIL import Image

    from appliance.assets import asset
    from appliance.caption.blip import BlipCaptioner

    lean, usual = options(1, lean=True), options(1)
    assert lean.get_session_config_entry("session.disable_prepacking") == "1"
    assert (lean.enable_cpu_mem_arena, usual.enable_cpu_mem_arena) == (False, True)
    picture = Image.new("RGB", (64, 64), "white")
    said = {
        BlipCaptioner.load(asset("models/sample/int8"), threads=1, lean=way).caption(picture) for way in (True, False)
    }
    assert len(said) == 1
