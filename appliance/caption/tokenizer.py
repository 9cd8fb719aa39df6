"""BERT's WordPiece vocabulary: a prompt to token ids, token ids to a sentence.

The tokenizers library takes 15 MB, and is loaded for a prompt only: its way back from ids to a sentence is a few lines,
which tests hold against it.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from appliance.errors import ModelError
from appliance.sentences import say

_NEXT_STEP = say("Install the model again.")
_DECODER = {"type": "WordPiece", "prefix": "##", "cleanup": True}
_CLOSING = frozenset(".?!,")  # begin what stands close to the word before


class Tokenizer:
    """Splits a prompt into the model's tokens and joins tokens into a sentence."""

    def __init__(self, path: Path, text: str, pieces: dict[int, str]) -> None:
        self._path = path
        self._text = text  # a prompt may come when the file is gone: another model has been installed in its place
        self._pieces = pieces  # without the special ones
        # Pieces that go on with a word ("##ing") and do not begin one.
        self.continuations = frozenset(id for id, piece in pieces.items() if piece.startswith("##"))

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Read tokenizer.json; raise ModelError where it cannot be used."""
        try:
            text = path.read_text(encoding="utf-8")
            content: dict[str, Any] = json.loads(text)
            if content["decoder"] != _DECODER:
                raise ValueError("it is not BERT's")
            special = {token["id"] for token in content["added_tokens"] if token["special"]}
            pieces = {id: piece for piece, id in content["model"]["vocab"].items() if id not in special}
            if not all(type(id) is int and isinstance(piece, str) for id, piece in pieces.items()):
                raise TypeError("its words are no words")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError("{path} cannot be read: {error}.", _NEXT_STEP, path=path, error=repr(error)) from error
        return cls(path, text, pieces)

    def encode(self, text: str) -> list[int]:
        """Return `text` as token ids, without [CLS] before and [SEP] after it; ModelError where that cannot be done."""
        return list(self._words.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the sentence; special tokens and ids beyond the vocabulary ([DEC], 30522) add nothing to it."""
        pieces = [self._pieces[token] for token in tokens if token in self._pieces]
        joined = [
            piece.removeprefix("##") if piece.startswith("##") or piece[:1] in _CLOSING else f" {piece}"
            for piece in pieces[1:]
        ]
        return "".join([*pieces[:1], *joined])

    @functools.cached_property
    def _words(self) -> Any:
        from tokenizers import Tokenizer as WordPiece

        try:
            return WordPiece.from_str(self._text)
        except Exception as error:  # tokenizers, written in Rust, raises no narrower class
            raise ModelError("{path} cannot be read: {error}.", _NEXT_STEP, path=self._path, error=error) from error
