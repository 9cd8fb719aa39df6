"""Execution providers by name, and sessions that cannot be opened."""

from pathlib import Path

import onnxruntime
import pytest

from appliance.caption import session
from appliance.caption.session import open_session, options, providers, sums_overflow
from appliance.errors import ModelError, SettingsError


@pytest.fixture
def available(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What this onnxruntime was built with; a test may add to it."""
    names = ["CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    return names


def test_the_processor_stands_behind_every_provider(available: list[str]) -> None:
    assert providers("cpu") == ["CPUExecutionProvider"]
    available += ["CUDAExecutionProvider", "TensorrtExecutionProvider"]
    assert providers("cuda") == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers("tensorrt") == ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


def test_a_missing_provider_is_told_with_what_there_is(available: list[str]) -> None:
    available.append("CoreMLExecutionProvider")
    with pytest.raises(SettingsError, match="cannot be cuda") as caught:
        providers("cuda")
    assert "cpu or coreml" in caught.value.next_step


def test_an_unknown_provider_is_told() -> None:
    with pytest.raises(SettingsError, match="abacus") as caught:
        providers("abacus")
    assert "cuda" in caught.value.next_step


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
