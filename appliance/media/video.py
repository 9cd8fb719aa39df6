"""Videos: the moments worth describing, and a poster."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from appliance.media import stills
from appliance.media.container import Frame, Video, opened, scaled
from appliance.media.scenes import CUT, SIDE, Moment, chosen, difference, nearly_black, thinned
from appliance.media.truncation import damaged

MOST_CANDIDATES = 64
# Encoders made for streams set key frames far apart and not at cuts. Where they are few and farther apart than this, or
# there is but one, the frames between are decoded too, as many as these pixels allow: 600 of Full HD, 150 of 4K.
SPARSE_SECONDS = 2.0
BETWEEN_PIXELS = 1_250_000_000
_BETWEEN_STEP = 1.0
_QUICKEST_CUT = 0.2
_POSTER_TRIES = 12
_FLAT = 12.0


def frames(path: Path, count: int, size: int) -> list[tuple[float, Image.Image]]:
    """Return up to `count` moments of the video at `path`, each its time in seconds and its picture, in order of time.

    Pictures are upright RGB, the shorter side at most `size` pixels. They are key frames, chosen where the picture
    changes and spread over the length; nearly black ones only where there is nothing else. A video that hardly changes
    gives fewer. Raises UnsupportedMediaError, DamagedMediaError or MediaTooLargeError.
    """
    with opened(path) as video:
        longest = max(1, round(size * max(video.shown_size) / max(1, min(video.shown_size))))
        most = min(max(4 * count, 12), MOST_CANDIDATES)
        keys = video.key_times()
        moments = _keys(video, _spread(keys, most), longest)
        if len(keys) < most:
            moments = _with_between(video, keys, moments, most, longest)
        picked = chosen(moments, count)
    if not picked:
        raise damaged()
    return [(round(moment.at, 3), moment.picture) for moment in picked]


def poster(path: Path, folder: Path) -> None:
    """Write `small.webp` and `large.webp` (see `stills`) of the video at `path`: the key frame that shows something.

    Raises the errors of `frames`, and StorageFullError where the disk is full.
    """
    best: tuple[float, Image.Image] | None = None
    with opened(path) as video:
        for at in _spread(video.key_times(), _POSTER_TRIES):
            moment = video.key_frame(at)
            if moment is None:
                continue
            thumb = scaled(moment[1], SIDE, SIDE)
            liveliness = 0.0 if nearly_black(thumb) else float(thumb.std())
            if best is None or liveliness > best[0]:
                best = liveliness, video.picture(moment[1], stills.LARGE)
            if liveliness >= _FLAT:
                break
    if best is None:
        raise damaged()
    stills.write_pair(best[1], folder)


def still(image: Image.Image, folder: Path, index: int) -> str:
    """Write a described moment's picture, at most 320 pixels high, into `folder`; return the file's name."""
    name = f"frame-{index:03}.webp"
    stills.write_small(image, folder, name)
    return name


def _keys(video: Video, times: list[float], longest: int) -> list[Moment]:
    """Return the key frames at `times`; those that cannot be decoded, or come twice, are left out."""
    moments: dict[float, Moment] = {}
    for time in times:
        found = video.key_frame(time)
        if found is not None and found[0] not in moments:
            moments[found[0]] = _moment(video, *found, longest)
    return [moments[at] for at in sorted(moments)]


def _with_between(video: Video, keys: list[float], moments: list[Moment], most: int, longest: int) -> list[Moment]:
    """Return `moments` and, for each long stretch without a key frame, what changes in it."""
    ends = [*keys[1:], video.duration or (keys[-1] if keys else 0.0)]
    least = SPARSE_SECONDS if len(keys) > 1 else 0.0
    gaps = [(start, end) for start, end in zip(keys, ends, strict=True) if end - start > least]
    width, height = video.shown_size
    budget = BETWEEN_PIXELS // max(1, width * height)
    found = list(moments)
    for done, (start, end) in enumerate(gaps):
        share = budget // (len(gaps) - done)
        between: list[Moment] = []
        decoded = 0
        for at, frame in _until(video.all_frames(start), end):
            decoded += 1
            if decoded > share:
                break
            _keep(video, between, at, frame, longest, most)
        budget -= decoded
        found += [moment for moment in between if all(abs(moment.at - key.at) > 1e-6 for key in moments)]
        found = thinned(sorted(found, key=lambda moment: moment.at), most)
    return found


def _keep(video: Video, between: list[Moment], at: float, frame: Frame, longest: int, most: int) -> None:
    """Add `frame` to `between` where the picture has changed or a second has gone by since the last one."""
    thumb = scaled(frame, SIDE, SIDE)
    if between:
        since = at - between[-1].at
        cut = since >= _QUICKEST_CUT and difference(thumb, between[-1].thumb) >= CUT
        if not cut and since < _BETWEEN_STEP:
            return
    between.append(Moment(at, video.picture(frame, longest), thumb))
    if len(between) > 2 * most:
        between[:] = thinned(between, most)


def _until(moments: Iterator[tuple[float, Frame]], end: float) -> Iterator[tuple[float, Frame]]:
    for at, frame in moments:
        if at >= end - 1e-6:
            return
        yield at, frame


def _moment(video: Video, at: float, frame: Frame, longest: int) -> Moment:
    return Moment(at, video.picture(frame, longest), scaled(frame, SIDE, SIDE))


def _spread(times: list[float], most: int) -> list[float]:
    """Return at most `most` of `times`, evenly spread, the first among them."""
    if len(times) <= most:
        return times
    return [times[index * len(times) // most] for index in range(most)]
