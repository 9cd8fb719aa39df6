"""Our tokens and sentences are BertTokenizer's."""

from pathlib import Path

import numpy as np
import pytest

from appliance.caption.tokenizer import Tokenizer
from appliance.modelstore import tokenizer_file

pytestmark = pytest.mark.oracle
BASE = Path(__file__).resolve().parent / "blip-base"
TEXTS = [
    "a photography of", "A Photo of  Zoë's café, isn't it?", "", "an unbelievable supercalifragilistic thing",
    "日本 語 и русский", "don't , stop . now !", "tuk tuk 12,345.67", "\ta\u200bb\nc",
    "[SEP] in the middle", "🙂 smile",
]  # fmt: skip


@pytest.mark.parametrize("file", ["tokenizer.json", "vocab.txt"])
def test_prompts_and_sentences(tmp_path: Path, file: str) -> None:
    from transformers import BlipProcessor

    theirs = BlipProcessor.from_pretrained(BASE).tokenizer
    path = BASE / file
    if path.suffix == ".txt":  # as installing makes it
        path = tmp_path / "tokenizer.json"
        tokenizer_file._from_vocabulary(BASE / file).save(str(path))
    ours = Tokenizer.load(path)
    for text in TEXTS:
        assert ours.encode(text) == theirs(text).input_ids[1:-1]
    random = np.random.default_rng(3)
    for length in range(1, 60):
        tokens = random.integers(0, 30524, length).tolist()
        assert ours.decode([30522, *tokens, 102, 0]) == theirs.decode(
            [30522, *tokens, 102, 0], skip_special_tokens=True
        )
