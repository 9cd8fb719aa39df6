"""What the captioner child does with one file: plain functions that open it, look at it and say what they saw."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from PIL.Image import Image

from appliance.caption import recognised, summary
from appliance.caption.captioner import Captioner
from appliance.caption.recognised import NOTHING, Recognised
from appliance.caption.tags import is_refusal, tags
from appliance.errors import LibraryError, NotFoundError
from appliance.media import photo, probe
from appliance.records import RECOGNISER, Described, Facts, Format, Frame, Kind

STILL = 320  # pixels; frames serve as the timeline's stills too, however little the model looks at

LOOKED_AT = 224  # pixels that the recogniser looks at

Tell = Callable[[int, int], None]  # frames described, frames in all
Look = Callable[[Image], Recognised]


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
    look: Look | None = None,
    tell: Tell = lambda done, total: None,
) -> Described:
    """Return what the file at `path` shows; a video by at most `frames` moments, whose thumbnails go into `folder`.

    `refusal` is what the captioner says of what it does not know; `look` recognises what a picture shows besides.
    `tell` hears of each described frame of a video. The errors are those of `prepare`, and the captioner's.
    """
    started = time.monotonic()
    facts = _facts(path)
    if kind is Kind.PHOTO:
        moments: list[Frame] = []
        text, cautious, found = _photo(path, captioner, prompt, refusal, look)
    else:
        pictures = _video().frames(path, frames, max(captioner.image_size, STILL))
        moments, cautious, found = _moments(pictures, captioner, prompt, refusal, look, tell)
        text = cautious or summary.summarise(moments, duration=facts.duration, refusal=refusal)
        moments = _with_stills(moments, pictures, folder)
    said = [""] if cautious else [text, *(moment.text for moment in moments)]
    words = tags(said[0], facts, frame_texts=said[1:], refusal=refusal, recognised=found)
    model = RECOGNISER if cautious else captioner.model
    return Described(text, words, tuple(moments), model, time.monotonic() - started)


def _facts(path: Path) -> Facts:
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        raise NotFoundError("The file {path} is missing.", "Put it back where it was.", path=path) from error
    except OSError as error:
        raise LibraryError(
            "The file {path} cannot be read: {strerror}.", "Check the card or disk.", path=path, strerror=error.strerror
        ) from error
    return probe.probe(path)


def _video() -> ModuleType:
    """Return what opens videos, loaded when it is needed: FFmpeg's libraries take 15 MB, and a photo needs none."""
    from appliance.media import video

    return video


def _photo(
    path: Path, captioner: Captioner, prompt: str | None, refusal: str | None, look: Look | None
) -> tuple[str, str | None, Recognised]:
    """Return the photo's text, the same where it is a cautious one made of what was recognised, and that."""
    picture = photo.load(path, captioner.image_size)
    text = captioner.caption(picture, prompt=prompt)
    if look is None or not _is_looked_at([text], refusal):
        return text, None, NOTHING
    found = look(picture if captioner.image_size >= LOOKED_AT else photo.load(path, LOOKED_AT))
    cautious = recognised.sentence([found]) if is_refusal(text, refusal) else None
    return cautious or text, cautious, found


def _moments(
    pictures: list[tuple[float, Image]],
    captioner: Captioner,
    prompt: str | None,
    refusal: str | None,
    look: Look | None,
    tell: Tell,
) -> tuple[list[Frame], str | None, Recognised]:
    """Return a video's moments, a cautious text for the whole where it is made of what was recognised, and that."""
    described: list[Frame] = []
    while len(described) < len(pictures):
        some = pictures[len(described) : len(described) + captioner.batch]
        texts = captioner.caption_many([picture for _, picture in some], prompt=prompt)
        described += [Frame(at, text) for (at, _), text in zip(some, texts, strict=True)]
        tell(len(described), len(pictures))
    if look is None or not _is_looked_at([frame.text for frame in described], refusal):
        return summary.merge(described), None, NOTHING
    found = [look(picture) for _, picture in pictures]
    whole = recognised.together(found)
    cautious = None
    if is_refusal(described[0].text, refusal):
        sure = [recognised.only(each, whole) for each in found]
        cautious = recognised.sentence(sure)
        described = [
            replace(frame, text=recognised.sentence([each]) or frame.text)
            for frame, each in zip(described, sure, strict=True)
        ]
    return summary.merge(described), cautious, whole


def _is_looked_at(texts: list[str], refusal: str | None) -> bool:
    """Whether the recogniser is asked: always by a model that knows the world, else of what it refused altogether.

    What the sample model knows is drawn, and a drawing is not what the recogniser has learned from.
    """
    return refusal is None or all(is_refusal(text, refusal) for text in texts)


def _with_stills(moments: list[Frame], pictures: list[tuple[float, Image]], folder: Path | None) -> list[Frame]:
    if folder is None:
        return moments
    by_time = dict(pictures)
    return [
        replace(moment, thumbnail=_video().still(by_time[moment.at], folder, index))
        for index, moment in enumerate(moments)
    ]
