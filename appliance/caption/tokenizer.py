"""BERT's WordPiece vocabulary: a prompt to token ids, token ids to a sentence."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer as WordPiece
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from appliance.errors import ModelError

_NEXT_STEP = "Install the model again."


class Tokenizer:
    """Splits a prompt into the model's tokens and joins tokens into a sentence."""

    def __init__(self, words: WordPiece) -> None:
        self._words = words
        # Pieces that go on with a word ("##ing") and do not begin one.
        self.continuations = frozenset(id for piece, id in words.get_vocab().items() if piece.startswith("##"))

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Read tokenizer.json or vocab.txt (one piece a line, lower case); raise ModelError where it cannot be used."""
        try:
            if path.suffix == ".txt":
                made = BertWordPieceTokenizer(str(path), lowercase=True)
                return cls(WordPiece.from_str(made.to_str()))
            return cls(WordPiece.from_file(str(path)))
        except Exception as error:  # tokenizers, written in Rust, raises no narrower class
            raise ModelError(f"{path} cannot be read: {error}.", _NEXT_STEP) from error

    def encode(self, text: str) -> list[int]:
        """Return `text` as token ids, without [CLS] before and [SEP] after it."""
        return list(self._words.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the sentence; special tokens and ids beyond the vocabulary ([DEC], 30522) add nothing to it."""
        return str(self._words.decode(list(tokens), skip_special_tokens=True))
