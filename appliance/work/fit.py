"""How describing runs on this box: what the settings say, what was chosen for the board where they say 0, and what
is tried instead, rung by rung, where memory runs out. The one place where this is decided.
"""

from dataclasses import dataclass, replace

from appliance.device.profile import Profile
from appliance.errors import ModelError
from appliance.modelstore import installed
from appliance.modelstore.catalog import catalog
from appliance.modelstore.need import memory_needed, smaller
from appliance.records import ModelInfo
from appliance.sentences import counted, say
from appliance.settings import Settings

KEPT = 256 << 20  # bytes; the least that the system, the page and the worker get by with
CHOSEN = {"threads": "threads", "beams": "beams", "video_frames": "frames"}  # settings whose 0 is chosen, as Fit's


@dataclass(frozen=True, slots=True)
class Fit:
    """Threads of one model, sentences weighed against each other, most moments of a video.

    `lean` spares memory at the cost of time. `model` is the id of the one that describes, None the one in use.
    """

    threads: int
    beams: int
    frames: int
    lean: bool = False
    model: str | None = None

    @property
    def said(self) -> str:
        """Return it in words: `4 threads, 1 sentence weighed, 8 moments of a video`."""
        return say(
            "{threads}, {sentences}, {moments}",
            threads=counted("{count} thread", "{count} threads", self.threads),
            sentences=counted("{count} sentence weighed", "{count} sentences weighed", self.beams),
            moments=counted("{count} moment of a video", "{count} moments of a video", self.frames),
        )


def full(settings: Settings, board: Profile) -> Fit:
    """Return what the settings and the board say: several at the same time share the board's threads."""
    return Fit(
        threads=settings.threads or max(1, board.threads // settings.workers),
        beams=settings.beams or board.beams,
        frames=settings.video_frames or board.frames,
    )


def chosen(settings: Settings, board: Profile) -> dict[str, int]:
    """Return what 0 stands for on this board, by the name of the setting."""
    zero = full(replace(settings, **dict.fromkeys(CHOSEN, 0)), board)  # type: ignore[arg-type]
    return {name: getattr(zero, field) for name, field in CHOSEN.items()}


def rungs(settings: Settings, board: Profile) -> tuple[Fit, ...]:
    """Return what is tried, from the top: fewer threads, then less memory for each; then smaller models likewise.

    A model that the machine's whole memory is too little for is not tried where there is a smaller one.
    """
    top = full(settings, board)
    ways = (top, replace(top, threads=max(1, top.threads // 2)), replace(top, threads=1, lean=True))
    models = _models(settings, board)
    return tuple(dict.fromkeys(replace(way, model=model) for model in models for way in ways))


def too_large(settings: Settings, board: Profile) -> ModelInfo | None:
    """Return the model in use where the machine has too little memory for it and a smaller one takes its place."""
    try:
        return None if _models(settings, board)[0] is None else installed.in_use(settings.data / "models")
    except ModelError:
        return None


def too_small(board: Profile) -> bool:
    """Whether the machine's whole memory is too little for every model of the catalogue."""
    if board.memory is None:
        return False
    least = min(need for model in catalog() if not model.shipped for need in model.memory_mb.values())
    return least << 20 > board.memory - KEPT


def _models(settings: Settings, board: Profile) -> list[str | None]:
    """Return the models to try: None for the one in use, then the ids of smaller ones."""
    folder = settings.data / "models"
    try:
        chosen = installed.in_use(folder)
        others = smaller(folder, chosen)
        room = None if board.memory is None else board.memory - KEPT
        small = [model.id for model in others if room is None or memory_needed(model) <= room]
        if not others or room is None or memory_needed(chosen) <= room:
            return [None, *(model.id for model in others)]
        return [*(small or [others[-1].id])]
    except ModelError:  # whoever loads it says so
        return [None]
