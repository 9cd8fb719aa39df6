"""The sample checkpoint: our graphs say what transformers says, token for token."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from appliance.caption.repetition import guard, no_guard

pytestmark = pytest.mark.oracle


def test_logits(sample: Any, sample_oracle: Any, scenes: list[Image.Image]) -> None:
    ours = sample.captioner()
    for picture in scenes[:20]:
        seen = ours.pixels(picture)
        np.testing.assert_array_equal(seen, sample_oracle.pixels([picture]))
        (tokens,) = sample_oracle.generate(seen)
        difference = np.abs(ours.network.logits(seen, tokens) - sample_oracle.logits(seen, tokens)).max()
        assert difference < 1e-3


@pytest.mark.parametrize("prompt", [None, "a photo of"])
@pytest.mark.parametrize("beams", [1, 3])
def test_captions(sample: Any, sample_oracle: Any, scenes: list[Image.Image], beams: int, prompt: str | None) -> None:
    ours = sample.captioner(beams)
    for start in range(0, 100, 50):
        seen = sample_oracle.pixels(scenes[start : start + 50])
        expected = sample_oracle.generate(seen, beams=beams, prompt=prompt)
        mine = [ours.generate(seen[index : index + 1], prompt=prompt, banned=no_guard) for index in range(50)]
        assert mine == expected


def test_sentences(sample: Any, sample_oracle: Any, scenes: list[Image.Image]) -> None:
    ours = sample.captioner()
    (tokens,) = sample_oracle.generate(sample_oracle.pixels(scenes[:1]))
    assert ours.caption(scenes[0]) == sample_oracle.processor.decode(tokens, skip_special_tokens=True)


def test_the_guard_leaves_captions_alone(sample: Any, sample_oracle: Any, scenes: list[Image.Image]) -> None:
    ours = sample.captioner()
    for picture in scenes[:100]:
        seen = ours.pixels(picture)
        assert ours.generate(seen, banned=guard()) == ours.generate(seen, banned=no_guard)


def test_the_bin_gives_the_same_graphs(sample: Any, sample_bin: Any) -> None:
    for file in ("encoder.onnx", "decoder.onnx"):
        assert Path(sample_bin.folder, file).read_bytes() == Path(sample.folder, file).read_bytes()


def test_int8_agrees_with_float(sample: Any, sample_int8: Any, scenes: list[Image.Image]) -> None:
    exact, quick = sample.captioner(), sample_int8.captioner()
    same = [exact.caption(picture) == quick.caption(picture) for picture in scenes]
    assert np.mean(same) >= 0.98
