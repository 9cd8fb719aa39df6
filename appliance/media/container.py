"""A video file opened safely: its stream, its times, and single pictures out of it. The only importer of `av`."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from appliance.errors import MediaTooLargeError, UnsupportedMediaError
from appliance.media.boxes import claims_too_much, protected
from appliance.media.formats import AVI, HEAD_BYTES, MKV, WEBM, WORKING, sniff, unsupported
from appliance.media.truncation import cut_off, damaged, ends_early
from appliance.records import Format, Kind
from appliance.sentences import say

# 8K, and a little: one such frame takes 57 MB while it is decoded.
MAX_FRAME_PIXELS = 8192 * 4608
# Packets that may be read, not decoded, to find the key frames of a file without an index.
_SCANNED_BYTES = 256 << 20
_SCANNED_PACKETS = 200_000
_BLIND_SEEKS = 64
_LONGEST_SECONDS = 7 * 24 * 3600
_THREADS = 4
# PyAV's errors, and what its conversions raise on numbers that make no sense.
_DECODER_ERRORS = (av.FFmpegError, ArithmeticError, EOFError, LookupError, RuntimeError, ValueError)
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_UNSPECIFIED, _BT709, _BT601 = 2, 1, 5
_BAD_PACKETS = 50
_SMALLER = say("Send a smaller copy; phones and video programs can save one.")
_STRAIGHT = {
    (False, False): None,
    (True, False): Image.Transpose.FLIP_LEFT_RIGHT,
    (False, True): Image.Transpose.FLIP_TOP_BOTTOM,
    (True, True): Image.Transpose.ROTATE_180,
}
_TURNED = {
    (False, False): Image.Transpose.TRANSPOSE,
    (True, False): Image.Transpose.ROTATE_90,
    (False, True): Image.Transpose.ROTATE_270,
    (True, True): Image.Transpose.TRANSVERSE,
}
_SIDEWAYS = set(_TURNED.values())
_NOT_THE_FILM = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails

Frame: TypeAlias = VideoFrame


class Video:
    """An open video. Times are seconds from its start, as a player shows them; pictures are upright RGB as shown."""

    def __init__(self, format: Format, container: InputContainer) -> None:
        self.format = format
        self._container = container
        self._stream = _film(container)
        _guard(self._stream)
        context = self._stream.codec_context
        # Frame threads would hold back a frame per core; a lying header must not allocate more than the guard allows.
        context.thread_type = "SLICE"
        context.thread_count = min(_THREADS, os.cpu_count() or 1)
        context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
        self.codec: str = context.codec.canonical_name
        self.tags: dict[str, str] = {**self._stream.metadata, **container.metadata}
        self._unit = float(self._stream.time_base or 0) or 1e-6
        self._start = (container.start_time or 0) / 1e6
        self._aspect = min(4.0, max(0.25, float(self._stream.sample_aspect_ratio or 1)))
        self.duration = self._duration()
        self._matrix, self.shown_size = self._shape()

    def key_times(self) -> list[float]:
        """Return the times of the key frames, ascending: from the index, else by reading the file, else guessed.

        Where they are guessed (a large file without an index) they are evenly spread: `key_frame` finds the one before.
        """
        entries = self._stream.index_entries
        if 0 < self._stream.frames <= len(entries):
            # An index counts decoding times, which begin earlier than what is shown where frames are reordered.
            shift = (self._stream.start_time or 0) - entries[0].timestamp
            return sorted({self._seconds(entry.timestamp + shift) for entry in entries if entry.is_keyframe})
        scanned = self._scan()
        if scanned is not None:
            return scanned[0]
        return [(self.duration or 0) * (step + 0.5) / _BLIND_SEEKS for step in range(_BLIND_SEEKS)]

    def key_frame(self, seconds: float) -> tuple[float, Frame] | None:
        """Return the key frame at or before `seconds` and its time, or None where it cannot be decoded."""
        # Fed and drained alone, so that nothing else is decoded; a few need those after them to come out.
        for packets in (1, 60):
            for moment in self._decoded(seconds, packets):
                return moment
        return None

    def all_frames(self, seconds: float) -> Iterator[tuple[float, Frame]]:
        """Yield every frame and its time from the key frame at or before `seconds` on."""
        yield from self._decoded(seconds, None)

    def picture(self, frame: Frame, longest: int) -> Image.Image:
        """Return `frame` upright as RGB, its longer side at most `longest` pixels."""
        width, height = (max(1, side) for side in _stretched(frame, self._aspect))
        scale = min(1.0, longest / max(width, height))
        pixels = scaled(frame, max(1, round(width * scale)), max(1, round(height * scale)))
        turn = _turn(self._matrix)
        image = Image.fromarray(pixels)
        return image if turn is None else image.transpose(turn)

    def _decoded(self, seconds: float, packets: int | None) -> Iterator[tuple[float, Frame]]:
        """Yield what comes out of the first `packets` packets (None: of all) from the key frame before `seconds` on."""
        stamp = round((seconds + self._start) / self._unit)
        self._container.seek(max(stamp, self._stream.start_time or 0), stream=self._stream)
        fed = bad = 0
        for packet in self._packets():
            if fed == 0 and not packet.is_keyframe and packet.size:
                continue
            try:
                frames = self._stream.decode(packet)
                fed += 1
                if fed == packets and packet.size:
                    frames += self._stream.decode(None)
            except (av.InvalidDataError, av.EOFError):
                bad += 1
                if bad > _BAD_PACKETS:
                    return
                continue
            for frame in frames:
                yield self._seconds(frame.pts if frame.pts is not None else packet.dts or 0), frame
            if fed == packets:
                return

    def _packets(self) -> Iterator["Packet[VideoStream]"]:
        """Yield the film's packets from where the file stands, as far as it can be read."""
        try:
            yield from self._container.demux(self._stream)
        except (av.InvalidDataError, av.EOFError):
            return

    def _scan(self) -> tuple[list[float], float] | None:
        """Read through the packets: the key frames' times and the end; None where that would take too long."""
        self._container.seek(self._stream.start_time or 0, stream=self._stream)
        keys: set[float] = set()
        end = 0.0
        read = 0
        for count, packet in enumerate(self._packets()):
            read += packet.size
            if read > _SCANNED_BYTES or count > _SCANNED_PACKETS:
                return None
            if packet.pts is None:
                continue
            at = self._seconds(packet.pts)
            end = max(end, at + (packet.duration or 0) * self._unit)
            if packet.is_keyframe:
                keys.add(at)
        return sorted(keys), end

    def _seconds(self, stamp: int) -> float:
        return max(0.0, stamp * self._unit - self._start)

    def _duration(self) -> float | None:
        seconds = (self._container.duration or 0) / 1e6
        if seconds <= 0 and self._stream.duration:
            seconds = self._stream.duration * self._unit
        if seconds <= 0:
            scanned = self._scan()
            seconds = scanned[1] if scanned else 0
        return round(seconds, 3) if 0 < seconds < _LONGEST_SECONDS else None

    def _shape(self) -> tuple[list[int], tuple[int, int]]:
        """Return the display matrix and the width and height as shown, by the first frame that can be decoded."""
        for part in (0.0, 0.25, 0.5, 0.75):
            moment = self.key_frame(part * (self.duration or 0))
            if moment is not None:
                frame = moment[1]
                matrix: Any = frame.side_data.get("DISPLAYMATRIX")
                numbers = np.frombuffer(bytes(matrix), dtype="=i4").tolist() if matrix is not None else []
                width, height = _stretched(frame, self._aspect)
                turned = _turn(numbers) in _SIDEWAYS
                return numbers, (height, width) if turned else (width, height)
        raise damaged()


@contextmanager
def opened(path: Path) -> Iterator[Video]:
    """Open the video at `path` and translate what goes wrong until it is closed again.

    Raises UnsupportedMediaError, DamagedMediaError or MediaTooLargeError.
    """
    with path.open("rb") as file:
        format = sniff(file.read(HEAD_BYTES))
    if format.kind is not Kind.VIDEO:
        raise unsupported(say("a photo ({name})", name=format.name))
    if ends_early(path, format):
        raise cut_off()
    if format not in {MKV, WEBM, AVI}:
        if protected(path):
            raise _locked()
        if claims_too_much(path):
            raise cut_off()
    demuxer = {MKV: "matroska", WEBM: "matroska", AVI: "avi"}.get(format, "mov")
    try:
        # One demuxer and one protocol, so that no playlist and no other file or address is ever followed.
        options = {"protocol_whitelist": "file", "max_pixels": str(MAX_FRAME_PIXELS)}
        with av.open(str(path.absolute()), "r", demuxer, options, metadata_errors="replace") as container:
            yield Video(format, container)
    except MemoryError as error:
        raise MediaTooLargeError("This video is larger than this box can take.", _SMALLER) from error
    except _DECODER_ERRORS as error:
        # FFmpeg says "I/O error" where a Matroska element leads past the end; a failing disk has shown itself above.
        ended = isinstance(error, OSError) and error.errno == errno.EIO
        raise (cut_off() if ended else damaged()) from error


def scaled(frame: Frame, width: int, height: int) -> NDArray[np.uint8]:
    """Return `frame` as RGB, uint8 [height, width, 3]."""
    space = frame.colorspace
    if space == _UNSPECIFIED:
        space = _BT709 if frame.height > 576 else _BT601  # as players guess
    small = frame.reformat(width, height, "rgb24", src_colorspace=space, interpolation=_SCALING)
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def _film(container: InputContainer) -> VideoStream:
    """Return the stream that holds the film: no cover picture, no preview track."""
    films = [stream for stream in container.streams.video if not stream.disposition & _NOT_THE_FILM]
    if not films:
        holds = say("holds sound but no pictures") if container.streams.audio else say("holds no pictures that move")
        raise UnsupportedMediaError("This file {holds}.", WORKING, holds=holds)
    best = container.streams.best("video")
    return next((film for film in films if film is best), films[0])


def _locked() -> UnsupportedMediaError:
    return UnsupportedMediaError(
        "This video is protected against copying, so its pictures cannot be seen.", "Send a video of your own."
    )


def _guard(stream: VideoStream) -> None:
    """Raise where the film is encrypted, packed by an unknown codec or larger than may be decoded."""
    context = stream.codec_context
    if "enc_key_id" in stream.metadata:  # where FFmpeg's Matroska reader notes the key's name
        raise _locked()
    if context is None:
        raise UnsupportedMediaError("This video is packed in a way that Shoebox cannot unpack.", WORKING)
    if context.width * context.height == 0:  # FFmpeg forgets a size that is over the limit it was given
        raise MediaTooLargeError(
            "This video is damaged, or its pictures are larger than this box can take (8192 x 4608).", _SMALLER
        )
    if context.width * context.height > MAX_FRAME_PIXELS:
        raise MediaTooLargeError(
            "This video is {width} x {height}; this box can take up to 8192 x 4608.",
            _SMALLER,
            width=context.width,
            height=context.height,
        )


def _stretched(frame: Frame, aspect: float) -> tuple[int, int]:
    return max(1, round(frame.width * aspect)), frame.height


def _turn(matrix: list[int]) -> Image.Transpose | None:
    """Return the turn that a display matrix (9 numbers; x' = a x + c y, y' = b x + d y) asks for, to 90°."""
    if len(matrix) != 9:
        return None
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return _STRAIGHT[a < 0, d < 0]
    return _TURNED[b < 0, c < 0]
