"""An installed model's tokenizer is the checkpoint's own, or made from its vocabulary."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from appliance.errors import CheckpointError
from appliance.modelstore.checkpoint import Checkpoint
from appliance.modelstore.tokenizer_file import write_tokenizer

Make = Callable[..., Path]


def vocabulary_only(folder: Path) -> list[str]:
    """Replace tokenizer.json by vocab.txt; return its words."""
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    (folder / "tokenizer.json").unlink()
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return words


def test_tokenizer_json_is_copied_byte_for_byte(checkpoint_folder: Path, tmp_path: Path) -> None:
    write_tokenizer(Checkpoint.open(checkpoint_folder), tmp_path / "out.json")
    assert (tmp_path / "out.json").read_bytes() == (checkpoint_folder / "tokenizer.json").read_bytes()


def test_a_vocabulary_becomes_the_same_tokenizer(make_checkpoint: Make, tmp_path: Path) -> None:
    own = Tokenizer.from_file(str(make_checkpoint("own") / "tokenizer.json"))
    folder = make_checkpoint("other")
    vocabulary_only(folder)
    checkpoint = Checkpoint.open(folder)
    assert checkpoint.tokenizer.name == "vocab.txt"
    write_tokenizer(checkpoint, tmp_path / "out.json")
    made = Tokenizer.from_file(str(tmp_path / "out.json"))
    assert made.get_vocab() == own.get_vocab()
    for text in ("a b", "Ba é!", "a  b.c", ""):
        assert made.encode(text).ids == own.encode(text).ids
        assert made.decode(made.encode(text).ids) == own.decode(own.encode(text).ids)


def test_capital_letters_are_kept_where_the_checkpoint_says_so(make_checkpoint: Make, tmp_path: Path) -> None:
    folder = make_checkpoint()
    vocabulary_only(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    write_tokenizer(Checkpoint.open(folder), tmp_path / "out.json")
    assert Tokenizer.from_file(str(tmp_path / "out.json")).encode("A", add_special_tokens=False).tokens == ["[UNK]"]


@pytest.mark.parametrize("content", ["", "{}", "[1", '{"version": "1.0"}'])
def test_a_damaged_tokenizer(checkpoint_folder: Path, tmp_path: Path, content: str) -> None:
    (checkpoint_folder / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        write_tokenizer(Checkpoint.open(checkpoint_folder), tmp_path / "out.json")


def test_a_tokenizer_of_another_model(make_checkpoint: Make, tmp_path: Path) -> None:
    folder = make_checkpoint()
    words = vocabulary_only(folder)
    (folder / "vocab.txt").write_text("\n".join([*words, *(f"w{number}" for number in range(20))]))
    with pytest.raises(CheckpointError, match="has 56 words"):
        write_tokenizer(Checkpoint.open(folder), tmp_path / "out.json")


@pytest.mark.parametrize("content", ["", "a\nb\n", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n"])
def test_a_damaged_vocabulary(make_checkpoint: Make, tmp_path: Path, content: str) -> None:
    folder = make_checkpoint()
    vocabulary_only(folder)
    (folder / "vocab.txt").write_text(content)
    with pytest.raises(CheckpointError, match=r"vocab\.txt"):
        write_tokenizer(Checkpoint.open(folder), tmp_path / "out.json")
