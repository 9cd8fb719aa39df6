"""Prompts to tokens, tokens to sentences; that they are BertTokenizer's is shown in tests/oracle."""

from pathlib import Path

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


def test_vocab_txt_is_the_same(tokenizer_file: Path, tmp_path: Path) -> None:
    vocabulary = WordPiece.from_file(str(tokenizer_file)).get_vocab()
    (tmp_path / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n")
    ours, listed = Tokenizer.load(tokenizer_file), Tokenizer.load(tmp_path / "vocab.txt")
    assert listed.encode("the Red tuk .") == ours.encode("the Red tuk .") == [13, 7, 9, 10, 12]
    assert listed.decode([13, 7, 9, 10, 12, 3]) == ours.decode([13, 7, 9, 10, 12, 3]) == "the red tuk."


@pytest.mark.parametrize("content", [None, "", "{}", '{"version": "1.0"}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json") as caught:
        Tokenizer.load(path)
    assert caught.value.next_step
