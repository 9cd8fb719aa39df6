"""A model folder describes pictures."""

import itertools
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnxruntime import OrtValue
from onnxruntime.transformers.float16 import convert_float_to_float16
from PIL import Image

import draw
from appliance.assets import asset
from appliance.caption.blip import BlipCaptioner
from appliance.caption.captioner import Captioner
from appliance.caption.network import Decoding
from appliance.caption.providers import Provider
from appliance.caption.repetition import guard, no_guard
from appliance.caption.search import alone, beam, greedy
from appliance.caption.tokenizer import Tokenizer
from appliance.errors import CaptionerError, ModelError, SettingsError, TooLittleMemoryError
from appliance.modelstore.build import build


@pytest.fixture
def blip(model_folder: Path) -> BlipCaptioner:
    return BlipCaptioner.load(model_folder, threads=1)


def test_it_is_a_captioner(blip: BlipCaptioner) -> None:
    captioner: Captioner = blip
    assert captioner.model == "tiny-float"
    assert captioner.image_size == 16


def test_captions_are_the_same_every_time_and_follow_the_picture(
    blip: BlipCaptioner, model_folder: Path, pictures: list[Image.Image]
) -> None:
    captions = [blip.caption(picture) for picture in pictures]
    again = BlipCaptioner.load(model_folder, threads=1)
    assert [again.caption(picture) for picture in reversed(pictures)] == captions[::-1]
    assert len(set(captions)) > 1


@pytest.mark.parametrize("beams", [1, 3])
def test_beams_choose_the_search(model_folder: Path, pictures: list[Image.Image], beams: int) -> None:
    blip = BlipCaptioner.load(model_folder, threads=1, beams=beams)
    for picture in pictures[:5]:
        seen = blip.pixels(picture)
        step = Decoding(blip.network, blip.network.encode(seen)).step
        if beams == 1:
            expected = alone(step, greedy([16], length=20, end=3, banned=no_guard))
        else:
            expected = alone(step, beam([16], beams=3, length=20, end=3, banned=no_guard))
        assert blip.generate(seen, banned=no_guard) == expected


def test_a_prompt_begins_the_caption(blip: BlipCaptioner, pictures: list[Image.Image]) -> None:
    tokens = blip.generate(blip.pixels(pictures[0]), prompt="A red ball", banned=no_guard)
    assert tokens[:4] == [16, 5, 7, 8]
    assert blip.caption(pictures[0], prompt="A red ball").startswith("a red ball")
    assert blip.caption(pictures[0], prompt="") == blip.caption(pictures[0])


def test_a_prompt_may_fill_all_positions_but_no_more(blip: BlipCaptioner, pictures: list[Image.Image]) -> None:
    seen = blip.pixels(pictures[0])
    assert len(blip.generate(seen, prompt="dog " * 22, banned=no_guard)) == 24
    with pytest.raises(CaptionerError, match="too long") as caught:
        blip.caption(pictures[0], prompt="dog " * 23)
    assert caught.value.next_step


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_do_not_loop(model_folder: Path, pictures: list[Image.Image], beams: int) -> None:
    blip = BlipCaptioner.load(model_folder, threads=1, beams=beams)
    looping = [blip.generate(blip.pixels(picture), banned=no_guard) for picture in pictures]
    assert any(one == other for tokens in looping for one, other in itertools.pairwise(tokens))
    tokenizer = Tokenizer.load(model_folder / "tokenizer.json")
    for picture in pictures:
        tokens = blip.generate(blip.pixels(picture), banned=guard(tokenizer.continuations))
        assert all(one != other or one in tokenizer.continuations for one, other in itertools.pairwise(tokens))
        assert blip.caption(picture) == tokenizer.decode(tokens)


@pytest.mark.parametrize("file", ["manifest.json", "encoder.onnx", "decoder.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_a_damaged_folder_says_what_to_do(model_folder: Path, file: str, damage: str) -> None:
    path = model_folder / file
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.raises(ModelError, match=file) as caught:
        BlipCaptioner.load(model_folder)
    assert caught.value.next_step == "Install the model again."


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("format", 2, "another version"), ("architecture", "git", "another version"), ("image", None, "damaged")],
)
def test_a_manifest_from_elsewhere_is_refused(model_folder: Path, key: str, value: object, expected: str) -> None:
    path = model_folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, key: value}))
    with pytest.raises(ModelError, match=expected):
        BlipCaptioner.load(model_folder)


def test_an_unknown_provider_is_a_settings_error(model_folder: Path) -> None:
    with pytest.raises(SettingsError):
        BlipCaptioner.load(model_folder, provider="abacus")


def graphics_card() -> Provider:
    """What passes for one: the processor, of which it is said."""
    return Provider("cuda", "a graphics card", "CPUExecutionProvider", gpu=True)


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_of_a_batch_are_those_of_each_picture(
    model_folder: Path, pictures: list[Image.Image], beams: int
) -> None:
    blip = BlipCaptioner.load(model_folder, provider=graphics_card(), threads=1, beams=beams)
    assert blip.batch == 16
    seen = [blip.pixels(picture) for picture in pictures]
    alone = [blip.generate(one, banned=no_guard) for one in seen]
    together = blip.generate_many(np.concatenate(seen), banned=no_guard)
    differing = [place for place in range(len(seen)) if alone[place] != together[place]]
    for place in differing:  # of these random weights two captions may be equally likely, up to rounding
        one, other = (likelihood(blip, seen[place], tokens[place]) for tokens in (alone, together))
        assert one == pytest.approx(other, abs=1e-4)
    assert len(differing) <= 1


def likelihood(blip: BlipCaptioner, seen: NDArray[np.float32], tokens: list[int]) -> float:
    """Return the mean log probability of a caption's tokens."""
    scores = blip.network.logits(seen, tokens[:-1]).astype(float)
    likely = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    return float(likely[range(len(tokens) - 1), tokens[1:]].mean())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample model in single precision."""
    folder = tmp_path_factory.mktemp("sample") / "sample-float"
    build(asset("models/sample/checkpoint"), folder, id="sample-float", name="Sample", variant="float")
    return folder


@pytest.mark.parametrize("beams", [1, 3])
def test_a_batch_of_scenes_is_described_word_for_word_as_each_scene(sample: Path, beams: int) -> None:
    blip = BlipCaptioner.load(sample, provider=graphics_card(), threads=1, beams=beams)
    scenes = [draw.draw(17, index)[0] for index in range(20)]
    expected = [blip.caption(scene) for scene in scenes]
    assert len(set(expected)) > 10
    assert blip.caption_many(scenes) == expected
    assert blip.caption_many(scenes[:1]) == expected[:1]
    assert blip.caption_many([]) == []
    prompted = blip.caption_many(scenes[:5], prompt="a large")
    assert prompted == [blip.caption(scene, prompt="a large") for scene in scenes[:5]]


def test_on_a_processor_and_in_whole_numbers_one_is_described_after_the_other(
    model_folder: Path, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BlipCaptioner.load(model_folder, threads=1).batch == 1
    path = model_folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "variant": "int8"}))
    blip = BlipCaptioner.load(model_folder, provider=graphics_card(), threads=1)
    monkeypatch.setattr("appliance.caption.blip.together", None)
    assert blip.batch == 1
    seen = np.concatenate([blip.pixels(picture) for picture in pictures[:3]])
    one_by_one = [blip.generate(seen[row : row + 1], banned=no_guard) for row in range(3)]
    assert blip.generate_many(seen, banned=no_guard) == one_by_one


def test_a_batch_that_does_not_fit_into_memory_is_halved(
    model_folder: Path, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    blip = BlipCaptioner.load(model_folder, provider=graphics_card(), threads=1)
    expected = [blip.caption(picture) for picture in pictures]
    encode, tried = blip.network.encode, []

    def small(seen: NDArray[np.float32]) -> dict[str, OrtValue]:
        tried.append(len(seen))
        if len(seen) > room:
            raise TooLittleMemoryError
        return encode(seen)

    monkeypatch.setattr(blip.network, "encode", small)
    room = 5
    assert blip.caption_many(pictures) == expected
    assert tried == [16, 8, 4, 4, 4, 4, 4]
    room = 0
    with pytest.raises(TooLittleMemoryError):
        blip.caption_many(pictures)


@pytest.mark.filterwarnings("ignore:the float32 number")  # some weights are too small for half precision
def test_half_precision_describes_alone_and_in_batches(model_folder: Path, pictures: list[Image.Image]) -> None:
    """On a processor, which does in single precision what it cannot do in half; keys and values are half as large."""
    exact = BlipCaptioner.load(model_folder, threads=1)
    scores = [exact.network.logits(exact.pixels(picture), [16, 5, 7]) for picture in pictures]
    for name in ("encoder.onnx", "decoder.onnx"):
        given = onnx.load(model_folder / name)
        kept = [entry.name for entry in (*given.graph.input, *given.graph.output) if entry.name in {"pixels", "logits"}]
        onnx.save(convert_float_to_float16(given, keep_io_types=kept), model_folder / name)
    path = model_folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "variant": "fp16"}))
    blip = BlipCaptioner.load(model_folder, provider=graphics_card(), threads=1)
    assert (blip.network.cache_type, blip.batch) == (np.float16, 16)
    for picture, expected in zip(pictures, scores, strict=True):
        np.testing.assert_allclose(blip.network.logits(blip.pixels(picture), [16, 5, 7]), expected, atol=0.05)
    assert blip.caption_many(pictures) == [blip.caption(picture) for picture in pictures]
