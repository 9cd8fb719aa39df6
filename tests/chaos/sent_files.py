"""Files as a family sends them: many small photos, a few short videos, a few that are damaged, each told apart."""

import struct
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pillow_heif

from appliance.assets import asset
from appliance.caption.blip import BlipCaptioner
from appliance.records import Kind
from appliance.work import describing
from draw import Scene, random_scene, render
from uploads import write_video

PHOTOS, VIDEOS = 24, 3


@dataclass(frozen=True)
class File:
    """What is sent, and what must come of it: this sentence, or a failure, or a refusal."""

    name: str
    body: bytes
    sentence: str = ""
    refused: bool = False

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()

    @property
    def damaged(self) -> bool:
        return not self.sentence and not self.refused


class Files:
    """Draws files that the sample model describes exactly, and hands out a new one each time."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._count = 0
        random = np.random.default_rng([seed, 1])
        captioner = BlipCaptioner.load(asset("models/sample/int8"), threads=1)

        def says(path: Path, kind: Kind, sentence: str) -> bool:
            """The model is right in 97 of 100 scenes: which ones is not what this is about."""
            return describing.describe(path, kind, None, captioner, frames=4).text == sentence

        self._photos: list[tuple[str, bytes, str]] = []
        scenes: list[Scene] = []
        while len(self._photos) < PHOTOS:
            scene = random_scene(random)
            suffix = ("jpg", "png", "webp", "heic")[len(self._photos) % 4]
            path = folder / f"photo.{suffix}"
            picture = render(scene, int(random.integers(240, 480)), int(random.integers(240, 480)))
            if suffix == "heic":
                pillow_heif.from_pillow(picture).save(path, quality=80)
            else:
                picture.save(path, quality=88)
            if says(path, Kind.PHOTO, scene.caption):
                self._photos.append((path.name, path.read_bytes(), scene.caption))
                scenes.append(scene)
        self._videos: list[tuple[str, bytes, str]] = []
        for first, second in pairwise(scenes):
            path = folder / "film.mp4"
            write_video(path, [first, second], "libx264", seconds=1)
            sentence = f"First {first.caption}, then {second.caption}."
            if says(path, Kind.VIDEO, sentence):
                self._videos.append((path.name, path.read_bytes(), sentence))
            if len(self._videos) == VIDEOS:
                break
        assert len(self._videos) == VIDEOS

    def next(self, random: Random) -> File:
        """Return a file that was never handed out before."""
        self._count += 1
        number = self._count
        kind = random.random()
        if kind < 0.02:
            return File("letter.txt", f"Dear grandmother, this is letter {number}.\n".encode() * 20, refused=True)
        if kind < 0.08:
            name, whole, _ = random.choice(self._photos + self._videos)
            # Where it breaks off makes it another file; the other half is never all there.
            return File(f"cut-{name}", whole[: len(whole) // 3 + number % (len(whole) // 2)])
        if kind < 0.12:
            name, whole, sentence = random.choice(self._videos)
            note = str(number).encode()
            return File(name, whole + struct.pack(">I4s", 8 + len(note), b"free") + note, sentence)
        name, whole, sentence = random.choice(self._photos)
        return File(name, whole + f"SEF of a phone {number}".encode(), sentence)
