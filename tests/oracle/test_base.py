"""BLIP-base in full size, with its own config, tokenizer and preprocessor and with random weights."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from appliance.caption.repetition import no_guard

# Making, building and loading a gigabyte takes its time.
pytestmark = [pytest.mark.oracle, pytest.mark.timeout(900)]
BASE = Path(__file__).resolve().parent / "blip-base"


def pictures() -> list[Image.Image]:
    """Five pictures of soft, strong colours."""
    random = np.random.default_rng(11)
    made = []
    for side in range(3, 8):
        patches = random.integers(0, 256, (side, side + 1, 3), dtype=np.uint8)
        made.append(Image.fromarray(patches).resize((500, 400 + 10 * side), Image.Resampling.BICUBIC))
    return made


def test_the_files_are_the_published_ones() -> None:
    table = (BASE / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in table if line.startswith("| ") and "SHA-256" not in line]
    assert len(rows) == 5
    for name, expected in rows:
        assert hashlib.sha256((BASE / name).read_bytes()).hexdigest() == expected


def test_logits_and_captions(base: Any, base_oracle: Any) -> None:
    ours = base.captioner()
    different = set()
    for picture in pictures():
        seen = ours.pixels(picture)
        np.testing.assert_array_equal(seen, base_oracle.pixels([picture]))
        (tokens,) = base_oracle.generate(seen)
        assert np.abs(ours.network.logits(seen, tokens) - base_oracle.logits(seen, tokens)).max() < 1e-3
        assert ours.generate(seen, banned=no_guard) == tokens
        different.add(tuple(tokens))
    assert len(different) == len(pictures())  # else the random weights would prove little


def test_captions_with_three_beams(base: Any, base_oracle: Any) -> None:
    ours = base.captioner(3)
    for picture in pictures():
        seen = ours.pixels(picture)
        assert [ours.generate(seen, banned=no_guard)] == base_oracle.generate(seen, beams=3)


@pytest.mark.parametrize("beams", [1, 3])
def test_prompt(base: Any, base_oracle: Any, beams: int) -> None:
    ours, prompt = base.captioner(beams), "a photography of"
    seen = ours.pixels(pictures()[0])
    (tokens,) = base_oracle.generate(seen, beams=beams, prompt=prompt)
    assert ours.generate(seen, prompt=prompt, banned=no_guard) == tokens


def test_the_bin_gives_the_same_graphs(base: Any, base_bin: Any) -> None:
    for file in ("encoder.onnx", "decoder.onnx"):
        made, expected = Path(base_bin.folder, file), Path(base.folder, file)
        assert hashlib.sha256(made.read_bytes()).digest() == hashlib.sha256(expected.read_bytes()).digest()
