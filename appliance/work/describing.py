"""What the captioner child does with one file: plain functions that open it, look at it and say what they saw."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from appliance.caption import summary
from appliance.caption.captioner import Captioner
from appliance.caption.tags import tags
from appliance.errors import LibraryError, NotFoundError
from appliance.media import photo, probe
from appliance.records import Described, Facts, Format, Frame, Kind

STILL = 320  # pixels; frames serve as the timeline's stills too, however little the model looks at

Tell = Callable[[int, int], None]  # frames described, frames in all


def warm_up() -> None:
    """Load what is loaded at its first use: the dictionary that makes tags of words."""
    tags("two dogs", Facts(Format(Kind.PHOTO, "image/png", "PNG"), 1, 1))


def prepare(path: Path, kind: Kind, folder: Path | None) -> Facts:
    """Return what the file at `path` says of itself, and write its thumbnails into `folder`.

    Raises MediaError where the file cannot be shown, NotFoundError or LibraryError where it cannot be read.
    """
    facts = _facts(path)
    if folder is not None:
        if kind is Kind.PHOTO:
            photo.thumbnails(path, folder)
        else:
            _video().poster(path, folder)
    return facts


def describe(
    path: Path,
    kind: Kind,
    folder: Path | None,
    captioner: Captioner,
    *,
    frames: int,
    prompt: str | None = None,
    refusal: str | None = None,
    tell: Tell = lambda done, total: None,
) -> Described:
    """Return what the file at `path` shows; a video by at most `frames` moments, whose thumbnails go into `folder`.

    `refusal` is what the captioner says of what it does not know; `tell` hears of each described frame of a video. The
    errors are those of `prepare`, and the captioner's.
    """
    started = time.monotonic()
    facts = _facts(path)
    if kind is Kind.PHOTO:
        text = captioner.caption(photo.load(path, captioner.image_size), prompt=prompt)
        moments: list[Frame] = []
    else:
        moments = _moments(path, folder, captioner, frames, prompt, tell)
        text = summary.summarise(moments, duration=facts.duration, refusal=refusal)
    words = tags(text, facts, frame_texts=[moment.text for moment in moments], refusal=refusal)
    return Described(text, words, tuple(moments), captioner.model, time.monotonic() - started)


def _facts(path: Path) -> Facts:
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        raise NotFoundError(f"The file {path} is missing.", "Put it back where it was.") from error
    except OSError as error:
        raise LibraryError(f"The file {path} cannot be read: {error.strerror}.", "Check the card or disk.") from error
    return probe.probe(path)


def _video() -> ModuleType:
    """Return what opens videos, loaded when it is needed: FFmpeg's libraries take 15 MB, and a photo needs none."""
    from appliance.media import video

    return video


def _moments(
    path: Path, folder: Path | None, captioner: Captioner, count: int, prompt: str | None, tell: Tell
) -> list[Frame]:
    video = _video()
    pictures = video.frames(path, count, max(captioner.image_size, STILL))
    described: list[Frame] = []
    while len(described) < len(pictures):
        some = pictures[len(described) : len(described) + captioner.batch]
        texts = captioner.caption_many([picture for _, picture in some], prompt=prompt)
        described += [Frame(at, text) for (at, _), text in zip(some, texts, strict=True)]
        tell(len(described), len(pictures))
    moments = summary.merge(described)
    if folder is None:
        return moments
    by_time = dict(pictures)
    return [
        replace(moment, thumbnail=video.still(by_time[moment.at], folder, index))
        for index, moment in enumerate(moments)
    ]
