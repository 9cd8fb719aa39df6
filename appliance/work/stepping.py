"""Steps describing down where memory runs out, remembers it in the library, and says so on every page.

What is remembered counts only as long as nothing changes that it depends on: the models, the memory, the settings that
matter, the version of Shoebox. `shoebox doctor --repair` forgets it.
"""

import hashlib
import logging

import msgspec

from appliance import __version__
from appliance.device.profile import Profile
from appliance.errors import MediaTooLargeError, ModelError, TooLittleMemoryError
from appliance.library import counters, notices, standing
from appliance.library.database import Connection, transaction
from appliance.modelstore import installed
from appliance.sentences import both, counted, say
from appliance.settings import Settings
from appliance.work import fit, ladder
from appliance.work.fit import Fit
from appliance.work.ladder import Standing, Verdict

NOTICE = "stepped-down"
_STEP = say("Stop other programs or use a computer with more memory, then run `shoebox doctor --repair` to try again.")
_SAME_MEMORY = 64 << 20  # bytes; from one start to the next a machine may have a little more or less

log = logging.getLogger(__name__)


class _Remembered(msgspec.Struct, frozen=True):
    """Where the box stood, and a digest of all that this depends on."""

    about: str
    at: Standing


_decode = msgspec.json.Decoder(_Remembered).decode


class SteppedDown(Exception):
    """Memory ran out, and describing goes on with less: the item is to be tried again, and no attempt counted."""


class Stepping:
    """The ladder for `settings` on `board`, and where the box stands on it; for one item, as either may change."""

    def __init__(self, db: Connection, settings: Settings, board: Profile) -> None:
        self._db = db
        self._settings = settings
        self._board = board
        self._rungs = fit.rungs(settings, board)
        self._about = self._circumstances()
        self._at = self._read().rung

    @property
    def fit(self) -> Fit:
        """How describing runs."""
        return self._rungs[self._at]

    def described(self, item: int) -> None:
        """Note that `item` was described; in the caller's transaction."""
        before = self._read()
        after = ladder.described(before, item, at=self._at)
        if after != before:
            self._keep(after)

    def ran_out(self, item: int, error: TooLittleMemoryError) -> Exception:
        """Note that memory ran out on `item`, and step down where that may help; return what to raise for it."""
        models = [rung.model for rung in self._rungs]
        with transaction(self._db):
            before = self._read()
            after, verdict = ladder.ran_out(before, item, models, at=self._at, loading=error.loading)
            if after != before:
                self._keep(after)
                self._at = after.rung
                self.tell()
            if verdict is not Verdict.FAILED:  # whoever notes the failure counts it
                counters.add(self._db, counters.CHILD_RESTARTS + error.reason)
        if after.rung < before.rung:
            log.warning("no step has helped this one, and the box goes back up")
        if verdict is Verdict.AGAIN:
            return SteppedDown()
        if verdict is Verdict.HOPELESS:
            return MediaTooLargeError(
                "Describing this takes more memory than this box has, however sparingly it works.",
                "Keep it as it is, send a smaller version, or use a computer with more memory.",
            )
        return error

    def tell(self) -> None:
        """Put up the notice of what describing runs with instead, or take it down."""
        text, step = self.trouble() or ("", "")
        if not text:
            notices.take_down(self._db, NOTICE)
        elif notices.put_up(self._db, NOTICE, text, step):
            log.warning("%s", text)

    def trouble(self) -> tuple[str, str] | None:
        """Return what the box cannot do for want of memory and what to do about it; None where all is well."""
        large = fit.too_large(self._settings, self._board)
        if self._at == 0 and large is None:
            return None
        if self._at == 0 and large is not None and self._board.memory is not None:
            return (
                say(
                    "This box has {memory:.1f} GB of memory, which is too little for {name} ({id}). "
                    "Pictures are described by {instead} instead.",
                    memory=self._board.memory / 1e9,
                    name=large.name,
                    id=large.id,
                    instead=self._name(self.fit.model),
                ),
                say(
                    "Use a computer with more memory, or keep to that model: `shoebox models use {model}`.",
                    model=self.fit.model,
                ),
            )
        return say("Memory ran out, so describing goes on with {said}.", said=self._said(self.fit)), _STEP

    def _said(self, way: Fit) -> str:
        told = []
        if way.model is not None:
            told.append(say("a smaller model, {name}", name=self._name(way.model)))
        if way.threads < self._rungs[0].threads:
            told.append(counted("one processor core", "{count} processor cores", way.threads))
        if way.lean:
            told.append(say("as little memory as it can"))
        return both(told)

    def _name(self, id: str | None) -> str:
        folder = self._settings.data / "models"
        try:
            model = installed.in_use(folder) if id is None else installed.find(folder, id)
        except ModelError:
            return str(id)
        return f"{model.name} ({model.id})"

    def _read(self) -> Standing:
        """Return where the box stands; at the top, where what is remembered is of other circumstances."""
        kept = standing.get(self._db)
        try:
            said = None if kept is None else _decode(kept)
        except msgspec.MsgspecError:  # written by another version
            said = None
        if said is None or said.about != self._about or not 0 <= said.at.safe <= said.at.rung < len(self._rungs):
            return Standing()
        return said.at

    def _keep(self, after: Standing) -> None:
        standing.keep(self._db, msgspec.json.encode(_Remembered(self._about, after)).decode())

    def _circumstances(self) -> str:
        try:
            model = installed.in_use(self._settings.data / "models").id
        except ModelError:
            model = ""
        told = (
            __version__,
            model,
            self._rungs,
            self._settings.provider,
            self._settings.workers,
            self._settings.memory_limit_mb,
            (self._board.memory or 0) // _SAME_MEMORY,
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def forget(db: Connection) -> None:
    """Begin at the top again."""
    standing.forget(db)
    notices.take_down(db, NOTICE)
