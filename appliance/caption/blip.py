"""BLIP describes a picture: the runtime of an installed model's folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from appliance.caption.network import Decoding, Network
from appliance.caption.pixels import pixels
from appliance.caption.providers import CPU, Provider
from appliance.caption.repetition import Guard, guard
from appliance.caption.search import Search, alone, beam, greedy, together
from appliance.caption.tokenizer import Tokenizer
from appliance.errors import CaptionerError, ModelError, TooLittleMemoryError
from appliance.sentences import say

_NEXT_STEP = say("Install the model again.")
# Of these each row of a batch is computed by itself. The others take one scale for all the numbers that go into a
# product, so that what one picture is told to be would depend on its neighbours.
_BY_ROW = {"float", "fp16"}
_BATCH = 16  # pictures at once on a graphics card; on a processor one after the other is as fast


@dataclass(frozen=True, slots=True)
class Manifest:
    """What running a model takes of its manifest.json; `size` is (width, height) in pixels."""

    model: str
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resample: str
    rescale_factor: float
    bos: int
    sep: int
    max_length: int
    variant: str = "float"

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read manifest.json; raise ModelError where it is missing, damaged or from another version of Shoebox."""
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != 1 or content["architecture"] != "blip":
                raise ModelError("{parent} was made by another version of Shoebox.", _NEXT_STEP, parent=path.parent)
            image, text = content["image"], content["text"]
            return cls(
                model=str(content["id"]),
                size=(int(image["width"]), int(image["height"])),
                mean=tuple(float(value) for value in image["mean"]),
                std=tuple(float(value) for value in image["std"]),
                resample=str(image["resample"]),
                rescale_factor=float(image["rescale_factor"]),
                bos=int(text["bos"]),
                sep=int(text["sep"]),
                max_length=int(text["max_length"]),
                variant=str(content.get("variant", "float")),
            )
        except FileNotFoundError as error:
            raise ModelError("{path} is missing.", _NEXT_STEP, path=path) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError("{path} is damaged: {error}.", _NEXT_STEP, path=path, error=repr(error)) from error


class BlipCaptioner:
    """A loaded BLIP model. One thread at a time may use it."""

    def __init__(self, manifest: Manifest, network: Network, tokenizer: Tokenizer, beams: int = 1) -> None:
        self._manifest = manifest
        self.network = network
        self._tokenizer = tokenizer
        self._beams = beams
        self._guard = guard(tokenizer.continuations)
        self.warnings: tuple[str, ...] = ()
        self.batch = _BATCH if network.provider.gpu and manifest.variant in _BY_ROW else 1

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        provider: str | Provider = CPU,
        threads: int = 0,
        beams: int = 1,
        lean: bool = False,
    ) -> "BlipCaptioner":
        """Load the model in `folder`: manifest.json, encoder.onnx, decoder.onnx, tokenizer.json.

        A provider is taken by its name, the best one for `auto`, without a proof that it describes as it should. `lean`
        spares memory at the cost of time. Raises ModelError where a file is missing or damaged, SettingsError where the
        provider cannot be had.
        """
        manifest = Manifest.read(folder / "manifest.json")
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        return cls(manifest, Network(folder, provider=provider, threads=threads, lean=lean), tokenizer, beams)

    @property
    def model(self) -> str:
        """The model's id."""
        return self._manifest.model

    @property
    def provider(self) -> str:
        """What the model runs on, as people say it."""
        return self.network.provider.title

    @property
    def image_size(self) -> int:
        """The longer side that the model looks at, in pixels."""
        return max(self._manifest.size)

    def caption(self, picture: Image, *, prompt: str | None = None) -> str:
        """Describe `picture`; the sentence begins with `prompt` where one is given.

        Raises CaptionerError where the prompt is too long or the model fails.
        """
        tokens = self.generate(self.pixels(picture), prompt=prompt, banned=self._guard)
        return self._tokenizer.decode(tokens)

    def caption_many(self, pictures: Sequence[Image], *, prompt: str | None = None) -> list[str]:
        """Describe each of `pictures` as `caption` does, `batch` at a time; fewer where memory does not suffice."""
        captions: list[str] = []
        while len(captions) < len(pictures):
            some = pictures[len(captions) : len(captions) + self.batch]
            try:
                seen = np.concatenate([self.pixels(picture) for picture in some])
                made = self.generate_many(seen, prompt=prompt, banned=self._guard)
            except TooLittleMemoryError:
                if self.batch == 1:
                    raise
                self.batch = (self.batch + 1) // 2
                continue
            captions += [self._tokenizer.decode(tokens) for tokens in made]
        return captions

    def pixels(self, picture: Image) -> NDArray[np.float32]:
        """Return `picture` as the model takes it: float32 [1, 3, height, width]."""
        manifest = self._manifest
        return pixels(
            picture,
            manifest.size,
            manifest.mean,
            manifest.std,
            resample=manifest.resample,
            rescale_factor=manifest.rescale_factor,
        )

    def generate(self, seen: NDArray[np.float32], *, prompt: str | None = None, banned: Guard) -> list[int]:
        """Return a caption's tokens for pixels `seen`: bos, the prompt, then at most `max_length` new ones.

        That is transformers' `generate` with its default length, where `banned` is `repetition.no_guard`.
        """
        return alone(Decoding(self.network, self.network.encode(seen)).step, self._search(prompt, banned))

    def generate_many(self, seen: NDArray[np.float32], *, prompt: str | None = None, banned: Guard) -> list[list[int]]:
        """Return what `generate` does for each row of `seen` [pictures, 3, height, width], all at the same time.

        One after the other where the rows of a batch are not independent of each other.
        """
        if len(seen) == 1 or self._manifest.variant not in _BY_ROW:
            return [self.generate(seen[row : row + 1], prompt=prompt, banned=banned) for row in range(len(seen))]
        searches = [self._search(prompt, banned) for _ in seen]
        return together(Decoding(self.network, self.network.encode(seen)).step, searches, beams=self._beams)

    def _search(self, prompt: str | None, banned: Guard) -> Search:
        start = [self._manifest.bos, *(self._tokenizer.encode(prompt) if prompt else ())]
        length = min(self._manifest.max_length, self.network.positions - len(start))
        if length < 1:
            raise CaptionerError(
                "The prompt is too long for this model.", "Use a few words to begin the sentence with."
            )
        if self._beams == 1:
            return greedy(start, length=length, end=self._manifest.sep, banned=banned)
        return beam(start, beams=self._beams, length=length, end=self._manifest.sep, banned=banned)
