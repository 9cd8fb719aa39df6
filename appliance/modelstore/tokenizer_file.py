"""Give an installed model its tokenizer.json: the checkpoint's own, or one made from its vocab.txt."""

from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from appliance.errors import CheckpointError
from appliance.modelstore.checkpoint import Checkpoint, read_json
from appliance.sentences import say

_COPY = say("Copy the model's files there again.")


def write_tokenizer(checkpoint: Checkpoint, out: Path) -> None:
    """Write the checkpoint's tokenizer to `out`; raise CheckpointError where it is damaged or another model's."""
    path = checkpoint.tokenizer
    try:
        tokenizer = _from_vocabulary(path) if path.suffix == ".txt" else Tokenizer.from_file(str(path))
        words = tokenizer.get_vocab_size()
    except CheckpointError:
        raise
    except Exception as error:  # the tokenizers library raises bare Exception
        raise CheckpointError("{path} cannot be read: {error}.", _COPY, path=path, error=error) from error
    known = checkpoint.dimensions.text.vocabulary
    if not 0 < words <= known:
        raise CheckpointError(
            "{path} has {words} words, but config.json says that the model knows {known}.",
            "Use the tokenizer and config.json of the same model.",
            path=path,
            words=words,
            known=known,
        )
    if path.suffix == ".txt":
        tokenizer.save(str(out), pretty=False)
    else:
        out.write_bytes(path.read_bytes())  # byte for byte, so that its hash stays the published one


def _from_vocabulary(path: Path) -> Tokenizer:
    """Return BERT's WordPiece tokenizer for a file of one word a line; its number is its line's, from 0."""
    words = path.read_text(encoding="utf-8").splitlines()
    vocabulary = {word: number for number, word in enumerate(words)}
    missing = [token for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if token not in vocabulary]
    if missing or len(vocabulary) != len(words):
        raise CheckpointError(
            "{path} is no BERT vocabulary: it lacks {missing} or has some twice.",
            _COPY,
            path=path,
            missing=missing or say("words"),
        )
    settings = path.with_name("tokenizer_config.json")
    lowercase = read_json(settings).get("do_lower_case", True) if settings.is_file() else True
    made = BertWordPieceTokenizer(vocabulary, lowercase=bool(lowercase))
    return Tokenizer.from_str(made.to_str())
