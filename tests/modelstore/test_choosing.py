"""Choosing what describing runs on. A provider of another name stands in for a graphics card: the processor itself.

What it answers, how long it takes and whether it is there can be changed; sessions, graphs and captions are real.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from appliance.caption import blip, network, proof, providers
from appliance.caption.blip import BlipCaptioner
from appliance.caption.providers import CPU, Provider
from appliance.errors import ModelError, SettingsError, TooLittleMemoryError
from appliance.modelstore import choosing, files, proofs
from appliance.modelstore.build import build

CARD = Provider("cuda", "CUDA", "CPUExecutionProvider", "onnxruntime-gpu", gpu=True)
CHIP = Provider("openvino", "OpenVINO", "CPUExecutionProvider", "onnxruntime-openvino")


@pytest.fixture
def models(checkpoint_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with a float model."""
    monkeypatch.setattr(files, "_MARGIN", 0)
    (tmp_path / "data").mkdir()
    folder = tmp_path / "data" / "models"
    build(checkpoint_folder, folder / "tiny-float", id="tiny-float", name="Tiny", variant="float")
    return folder


@pytest.fixture(autouse=True)
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make onnxruntime offer a graphics card and a chip beside the processor, or what the test says."""

    def offer(*found: Provider, absent: tuple[Provider, ...] = ()) -> None:
        monkeypatch.setattr(providers, "PROVIDERS", (*found, CPU))
        monkeypatch.setattr(choosing, "opens", lambda provider: provider not in absent)

    offer(CARD, CHIP)
    return offer


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were loaded: what each ran on."""
    seen: list[str] = []

    class Watched(network.Network):
        def __init__(self, folder: Path, *, provider: Any = CPU, **more: Any) -> None:
            seen.append(provider.name)
            super().__init__(folder, provider=provider, **more)

    monkeypatch.setattr(blip, "Network", Watched)
    return seen


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a provider scramble its scores, or do worse."""

    def wrong(name: str, do: Callable[[Any], Any] = lambda scores: scores[..., ::-1]) -> None:
        feed = network.Decoding.feed

        def spoiled(self: network.Decoding, tokens: Any, parents: Any) -> Any:
            scores = feed(self, tokens, parents)
            return do(scores) if self._provider.name == name else scores

        monkeypatch.setattr(network.Decoding, "feed", spoiled)

    return wrong


def kept(models: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((models / proofs.FILE).read_text())
    return content


def test_a_machine_with_nothing_but_the_processor_proves_nothing_and_loads_once(
    models: Path, offer: Callable[..., None], loads: list[str]
) -> None:
    offer()
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert (captioner.provider, captioner.warnings, captioner.batch) == ("the processor", (), 1)
    assert loads == ["cpu"]
    assert [path.name for path in models.iterdir()] == ["tiny-float"]


def test_the_best_is_taken_once_it_is_proved_and_the_proof_is_remembered(models: Path, loads: list[str]) -> None:
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert (captioner.provider, captioner.warnings, captioner.batch) == ("CUDA", (), 16)
    assert loads == ["cpu", "cuda"]
    assert [proof["state"] for proof in kept(models).values()] == ["good"]
    picture = Image.new("RGB", (20, 20), "red")
    assert captioner.caption(picture) == BlipCaptioner.load(models / "tiny-float", threads=1).caption(picture)
    loads.clear()
    assert choosing.load(models, "tiny-float", threads=1).provider == "CUDA"
    assert loads == ["cuda"]


def test_another_onnxruntime_other_files_or_other_beams_are_proved_anew(
    models: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    choosing.load(models, "tiny-float", threads=1)
    monkeypatch.setattr(choosing, "VERSION", "9.9")
    choosing.load(models, "tiny-float", threads=1)
    choosing.load(models, "tiny-float", threads=1, beams=3)
    path = models / "tiny-float" / "manifest.json"
    path.write_text(path.read_text() + "\n")
    choosing.load(models, "tiny-float", threads=1)
    assert loads == ["cpu", "cuda"] * 4
    assert len(kept(models)) == 4


def test_one_that_describes_otherwise_is_passed_over_with_a_warning_and_tried_again_in_a_day(
    models: Path, loads: list[str], wrong: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong("cuda")
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert captioner.provider == "OpenVINO"
    assert captioner.warnings == (
        "CUDA is not used, as it describes a picture otherwise than the processor does."
        " Describing runs on OpenVINO. It is tried again tomorrow.",
    )
    loads.clear()
    assert choosing.load(models, "tiny-float", threads=1).warnings == captioner.warnings
    assert loads == ["openvino"]
    now = proofs.time.time()
    monkeypatch.setattr(proofs.time, "time", lambda: now + proofs.DAY + 1)
    loads.clear()
    choosing.load(models, "tiny-float", threads=1)
    assert loads == ["cpu", "cuda", "openvino"]


@pytest.mark.parametrize("spoil", [lambda scores: scores * np.nan, lambda scores: scores * 0])
def test_no_numbers_and_no_differences_are_no_description(
    models: Path, wrong: Callable[..., None], offer: Callable[..., None], spoil: Callable[[Any], Any]
) -> None:
    offer(CARD)
    wrong("cuda", spoil)
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert captioner.provider == "the processor"
    assert "otherwise than the processor" in captioner.warnings[0]


def test_a_word_chosen_otherwise_by_a_hair_is_no_fault(models: Path, wrong: Callable[..., None]) -> None:
    rounding = np.random.default_rng(3)

    def rounded(scores: Any) -> Any:
        return (scores + rounding.standard_normal(scores.shape) * 0.02 * scores.std()).astype(np.float32)

    wrong("cuda", rounded)
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert (captioner.provider, captioner.warnings) == ("CUDA", ())


def test_one_that_fails_in_loading_is_passed_over(models: Path, wrong: Callable[..., None]) -> None:
    def fail(scores: Any) -> Any:
        raise TooLittleMemoryError

    wrong("cuda", fail)
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert captioner.provider == "OpenVINO"
    assert "needs more memory than there is" in captioner.warnings[0]


def test_one_that_kills_its_process_is_not_tried_for_ever(models: Path, wrong: Callable[..., None]) -> None:
    class Killed(BaseException):
        """What nothing catches."""

    def die(scores: Any) -> Any:
        raise Killed

    wrong("cuda", die)
    for _ in range(proofs.TRIES):
        with pytest.raises(Killed):
            choosing.load(models, "tiny-float", threads=1)
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert captioner.provider == "OpenVINO"
    assert "ended the process that describes" in captioner.warnings[0]


def test_one_that_is_slower_than_the_processor_is_passed_over_without_a_word(
    models: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, agree = proof.answers, proof.agree
    monkeypatch.setattr(proof, "answers", lambda captioner: replace(answers(captioner), seconds=1.0))
    seconds = {"cuda": 1.3, "openvino": 0.4}

    def timed(expected: proof.Answers, captioner: BlipCaptioner) -> tuple[bool, float]:
        return agree(expected, captioner)[0], seconds[captioner.network.provider.name]

    monkeypatch.setattr(proof, "agree", timed)
    for _ in range(2):
        captioner = choosing.load(models, "tiny-float", threads=1)
        assert (captioner.provider, captioner.warnings) == ("OpenVINO", ())
    assert loads == ["cpu", "cuda", "cpu", "openvino", "openvino"]
    assert choosing.load(models, "tiny-float", provider="cuda", threads=1).provider == "CUDA"  # who names it gets it


def test_one_that_is_slower_and_wrong_is_not_spoken_of_nor_tried_each_day(
    models: Path, loads: list[str], offer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(CARD)
    answers = proof.answers
    monkeypatch.setattr(proof, "answers", lambda captioner: replace(answers(captioner), seconds=1.0))
    monkeypatch.setattr(proof, "agree", lambda expected, captioner: (False, 5.0))
    assert choosing.load(models, "tiny-float", threads=1).warnings == ()
    now = proofs.time.time()
    monkeypatch.setattr(proofs.time, "time", lambda: now + 2 * proofs.DAY)
    loads.clear()
    assert choosing.load(models, "tiny-float", threads=1).warnings == ()
    assert loads == ["cpu"]
    with pytest.raises(SettingsError, match="otherwise"):
        choosing.load(models, "tiny-float", provider="cuda", threads=1)


def test_a_card_that_is_not_there_is_told_where_the_processor_does_it(models: Path, offer: Callable[..., None]) -> None:
    tensorrt = replace(CARD, name="tensorrt", title="TensorRT")
    offer(tensorrt, CARD, absent=(tensorrt,))
    assert choosing.load(models, "tiny-float", threads=1).warnings == ()  # CUDA does it
    offer(tensorrt, CARD, absent=(tensorrt, CARD))
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert captioner.provider == "the processor"
    assert captioner.warnings[0].startswith("TensorRT and CUDA cannot be used")


def test_a_chip_that_has_no_graphics_is_no_fault(models: Path, offer: Callable[..., None]) -> None:
    graphics = replace(CHIP, title="OpenVINO on the graphics chip", options=(("device_type", "GPU"),), gpu=True)
    offer(graphics, CHIP, absent=(graphics,))
    captioner = choosing.load(models, "tiny-float", threads=1)
    assert (captioner.provider, captioner.warnings) == ("OpenVINO", ())


def test_what_was_chosen_by_name_and_cannot_be_had_is_an_error_that_says_what_to_do(
    models: Path, offer: Callable[..., None], wrong: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(CARD, CHIP, absent=(CARD,))
    with pytest.raises(SettingsError, match="cannot be cuda: it lacks its device, its driver") as caught:
        choosing.load(models, "tiny-float", provider="cuda", threads=1)
    assert "onnxruntime-gpu" in caught.value.next_step
    wrong("openvino")
    with pytest.raises(SettingsError, match="openvino: it describes a picture otherwise"):
        choosing.load(models, "tiny-float", provider="openvino", threads=1)
    assert choosing.load(models, "tiny-float", provider="cpu", threads=1).provider == "the processor"
    monkeypatch.setattr(providers, "PROVIDERS", (replace(CARD, onnx="CUDAExecutionProvider"), CPU))
    with pytest.raises(SettingsError, match="built without it"):
        choosing.load(models, "tiny-float", provider="cuda", threads=1)


def variant(models: Path, name: str) -> None:
    """Install the tiny model once more, as a variant of which only the name is true."""
    shutil.copytree(models / "tiny-float", models / f"tiny-{name}")
    path = models / f"tiny-{name}" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "id": f"tiny-{name}", "variant": name}))


def test_each_provider_gets_the_variant_that_suits_it(models: Path, offer: Callable[..., None]) -> None:
    variant(models, "int8")
    variant(models, "fp16")
    captioner = choosing.load(models, "tiny-int8", threads=1)
    assert (captioner.provider, captioner.model, captioner.warnings) == ("CUDA", "tiny-fp16", ())
    offer(CHIP)
    captioner = choosing.load(models, "tiny-fp16", threads=1)
    assert (captioner.provider, captioner.model, captioner.warnings) == ("OpenVINO", "tiny-int8", ())


def test_a_variant_that_would_suit_better_is_named(models: Path, offer: Callable[..., None]) -> None:
    variant(models, "int8")
    shutil.rmtree(models / "tiny-float")
    captioner = choosing.load(models, "tiny-int8", threads=1)
    assert (captioner.provider, captioner.model, captioner.batch) == ("CUDA", "tiny-int8", 1)
    assert captioner.warnings == (
        "Tiny is here as int8, and a graphics card is quicker with fp16:"
        " run `shoebox models install tiny --variant fp16`.",
    )


def test_where_nothing_can_be_kept_each_start_proves_for_itself(models: Path, tmp_path: Path, loads: list[str]) -> None:
    shipped = tmp_path / "nowhere" / "models"
    for _ in range(2):
        choosing.load(shipped, "sample-int8", threads=1)
    assert loads == ["cpu", "cuda"] * 2
    assert not shipped.parent.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"a": {"b": 1}}', "\0"])
def test_a_damaged_record_is_no_record(models: Path, content: str) -> None:
    (models / proofs.FILE).write_text(content)
    assert choosing.load(models, "tiny-float", threads=1).provider == "CUDA"
    assert "good" in {proof.get("state") for proof in kept(models).values()}


def test_a_model_that_cannot_be_loaded_is_told_as_such(models: Path, offer: Callable[..., None]) -> None:
    path = models / "tiny-float" / "decoder.onnx"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(ModelError, match=r"decoder\.onnx"):
        choosing.load(models, "tiny-float", threads=1)
