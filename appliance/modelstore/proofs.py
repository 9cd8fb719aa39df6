"""What is remembered of proofs: which provider described as the processor does, with which model, which did not.

One file in the models folder, so that a child that starts need not prove anew. A proof that was begun and never ended
has taken its process with it, and is not tried for ever. What is bad is tried again after a day: a driver may have been
mended. Where nothing can be kept, as in a folder that is not ours, each start proves for itself.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from appliance.modelstore.files import write_text
from appliance.sentences import Sentence, kept

FILE = ".providers.json"
_LOCK = ".providers.lock"
DAY = 86400.0
QUICK = 0.2  # seconds a picture; where the processor needs no more, nobody waits for it
SLOWER = 1.25  # times the processor's seconds, from which on a provider is of no use
TRIES = 2  # a power cut or a stop may have ended one

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """How a proof went at Unix time `at`: `good`, `bad` for a `reason`, or `begun`, for the time being or for ever.

    `seconds` are those of a picture, `processor` those that the processor takes for it.
    """

    state: str
    at: float
    tries: int = 0
    reason: str = ""
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether nothing need be proved anew yet."""
        return self.state == "good" or 0 <= time.time() - self.at < DAY

    @property
    def slower(self) -> bool:
        """Whether the processor is quicker, by so much that it matters: what is told of it otherwise does not."""
        return self.processor > QUICK and self.seconds > SLOWER * self.processor


class Proofs:
    """The remembered proofs, held by one process at a time: others that want to prove wait for it."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def find(self, key: str) -> Proof | None:
        """Return what is known under `key`, None where nothing is."""
        found = self._read().get(key)
        try:
            return None if found is None else replace(Proof(**found), reason=Sentence.read(found["reason"]))
        except (TypeError, KeyError, AttributeError):  # written by another version
            return None

    def keep(self, key: str, proof: Proof) -> None:
        """Remember a proof."""
        if self._file is None:
            return
        try:
            noted = asdict(proof) | {"reason": kept(proof.reason)}
            write_text(self._file, json.dumps({**self._read(), key: noted}, indent=1) + "\n")
        except OSError as error:  # it is proved anew next time
            log.warning("what was proved of a provider is not kept: %s", error)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads((self._file or Path(os.devnull)).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


@contextmanager
def remembered(models: Path) -> Iterator[Proofs]:
    """Hold what is remembered in the folder `models`."""
    try:
        models.mkdir(exist_ok=True)  # and not its parents: nobody begins a library by describing a picture
        lock = os.open(models / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError:
        yield Proofs(None)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Proofs(models / FILE)
    finally:
        os.close(lock)
