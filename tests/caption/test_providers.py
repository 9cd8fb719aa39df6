"""Execution providers: by name, in order, and whether they are there."""

import numpy as np
import onnxruntime
import pytest
from onnxruntime import OrtValue

from appliance.caption import providers
from appliance.caption.providers import CPU, PROVIDERS, Provider, named, offered, opens
from appliance.caption.rows import chosen, gathered
from appliance.errors import SettingsError
from appliance.settings import SETTINGS


@pytest.fixture
def available(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What this onnxruntime was built with; a test may add to it."""
    names = ["CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    return names


def called(name: str) -> Provider:
    return next(provider for provider in PROVIDERS if provider.name == name)


def test_the_settings_know_each_by_name() -> None:
    choices = next(setting.choices for setting in SETTINGS if setting.name == "provider")
    assert set(choices) == {"auto", *(provider.name for provider in PROVIDERS)}
    assert len({provider.key for provider in PROVIDERS}) == len(PROVIDERS)


def test_before_a_card_is_tried_its_libraries_are_loaded_without_a_word(
    available: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = []
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: (loaded.append(True), print("Failed to load libcudnn.so")))
    available += ["CUDAExecutionProvider", "OpenVINOExecutionProvider"]
    for name in ("cuda", "openvino"):
        opens(called(name))
    assert loaded == [True]
    assert capsys.readouterr().out == ""


def test_the_processor_stands_behind_every_provider(available: list[str]) -> None:
    assert CPU.chain == [("CPUExecutionProvider", {})]
    available += ["CUDAExecutionProvider", "TensorrtExecutionProvider"]
    assert called("cuda").chain == [("CUDAExecutionProvider", {}), "CPUExecutionProvider"]
    assert called("tensorrt").chain == [
        ("TensorrtExecutionProvider", {}), "CUDAExecutionProvider", "CPUExecutionProvider",
    ]  # fmt: skip
    available.append("OpenVINOExecutionProvider")
    assert called("openvino").chain[0] == ("OpenVINOExecutionProvider", {"device_type": "GPU"})


def test_those_of_graphics_cards_come_first_and_the_processor_last(available: list[str]) -> None:
    assert offered() == [CPU]
    available += ["XnnpackExecutionProvider", "OpenVINOExecutionProvider", "CUDAExecutionProvider"]
    assert [provider.name for provider in offered()] == ["cuda", "openvino", "openvino", "xnnpack", "cpu"]
    assert [provider.gpu for provider in offered()] == [True, True, False, False, False]


def test_one_that_onnxruntime_was_built_without_is_told_with_what_brings_it(available: list[str]) -> None:
    with pytest.raises(SettingsError, match="cannot be cuda: the onnxruntime on this machine was built with") as caught:
        offered("cuda")
    assert "onnxruntime-gpu" in caught.value.next_step
    assert "auto" in caught.value.next_step


def test_an_unknown_one_is_told() -> None:
    with pytest.raises(SettingsError, match="abacus") as caught:
        named("abacus")
    assert "cuda" in caught.value.next_step


def test_one_whose_device_or_library_is_missing_is_told(available: list[str]) -> None:
    """This onnxruntime says it has CUDA and has not: it takes the processor instead, as it does without a driver."""
    available.append("CUDAExecutionProvider")
    with pytest.warns(UserWarning, match="CUDA"), pytest.raises(SettingsError, match="driver") as caught:
        named("cuda")
    assert "onnxruntime-gpu" in caught.value.next_step


def test_the_best_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch, available: list[str]) -> None:
    assert opens(CPU)
    assert named("auto") == named("cpu") == CPU
    other = Provider("openvino", "another way", "CPUExecutionProvider")
    monkeypatch.setattr(providers, "PROVIDERS", (other, CPU))
    assert opens(other)
    assert named("auto") == other


@pytest.mark.parametrize("type", [np.float32, np.float16])
def test_rows_are_chosen_where_they_lie(type: type[np.floating]) -> None:
    tensor = np.random.default_rng(3).standard_normal((3, 2, 4, 5)).astype(type)
    for choose in (chosen, gathered):
        found = choose(OrtValue.ortvalue_from_numpy(tensor), [2, 0, 0, 1], CPU).numpy()
        np.testing.assert_array_equal(found, tensor[[2, 0, 0, 1]])
