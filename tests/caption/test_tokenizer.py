"""Prompts to tokens, tokens to sentences; that they are BertTokenizer's is shown in tests/oracle."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as WordPiece

from appliance.caption.tokenizer import Tokenizer
from appliance.errors import ModelError


def test_prompt_and_sentence(tokenizer_file: Path) -> None:
    tokenizer = Tokenizer.load(tokenizer_file)
    assert tokenizer.encode("A Tuk, dog") == [5, 9, 10, 1, 6]  # lower case, pieces, [UNK]
    assert tokenizer.decode([5, 9, 10, 6, 12]) == "a tuk dog."
    assert tokenizer.continuations == {10}


def test_special_tokens_and_ids_beyond_the_vocabulary_add_nothing(tokenizer_file: Path) -> None:
    assert Tokenizer.load(tokenizer_file).decode([16, 15, 2, 5, 0, 6, 3, 30523]) == "a dog"


def test_sentences_are_those_of_the_tokenizers_library() -> None:
    file = Path(__file__).parents[1] / "oracle" / "blip-base" / "tokenizer.json"
    ours, library = Tokenizer.load(file), WordPiece.from_file(str(file))
    count = library.get_vocab_size()
    for token in range(count):
        assert ours.decode([7592, token]) == library.decode([7592, token]), token
        assert ours.decode([token, 7592]) == library.decode([token, 7592]), token
    rng = np.random.default_rng(1)
    for tokens in rng.integers(0, count + 2, (200, 20)).tolist():
        assert ours.decode(tokens) == library.decode(tokens)


@pytest.mark.parametrize("content", [None, "", "{}", '{"version": "1.0"}', "[]", '{"decoder": {"type": "BPE"}}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json") as caught:
        Tokenizer.load(path)
    assert caught.value.next_step
