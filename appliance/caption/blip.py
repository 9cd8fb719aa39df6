"""BLIP describes a picture: the runtime of an installed model's folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from appliance.caption.network import Decoding, Network
from appliance.caption.pixels import pixels
from appliance.caption.repetition import Guard, guard
from appliance.caption.search import beam, greedy
from appliance.caption.tokenizer import Tokenizer
from appliance.errors import CaptionerError, ModelError

_NEXT_STEP = "Install the model again."


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

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read manifest.json; raise ModelError where it is missing, damaged or from another version of Shoebox."""
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != 1 or content["architecture"] != "blip":
                raise ModelError(f"{path.parent} was made by another version of Shoebox.", _NEXT_STEP)
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
            )
        except FileNotFoundError as error:
            raise ModelError(f"{path} is missing.", _NEXT_STEP) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is damaged: {error!r}.", _NEXT_STEP) from error


class BlipCaptioner:
    """A loaded BLIP model. One thread at a time may use it."""

    def __init__(self, manifest: Manifest, network: Network, tokenizer: Tokenizer, beams: int = 1) -> None:
        self._manifest = manifest
        self.network = network
        self._tokenizer = tokenizer
        self._beams = beams
        self._guard = guard(tokenizer.continuations)

    @classmethod
    def load(
        cls, folder: Path, *, provider: str = "cpu", threads: int = 0, beams: int = 1, lean: bool = False
    ) -> "BlipCaptioner":
        """Load the model in `folder`: manifest.json, encoder.onnx, decoder.onnx, tokenizer.json.

        `lean` spares memory at the cost of time.

        Raises ModelError where a file is missing or damaged, SettingsError where the provider cannot be had.
        """
        manifest = Manifest.read(folder / "manifest.json")
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        return cls(manifest, Network(folder, provider=provider, threads=threads, lean=lean), tokenizer, beams)

    @property
    def model(self) -> str:
        """The model's id."""
        return self._manifest.model

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
        start = [self._manifest.bos, *(self._tokenizer.encode(prompt) if prompt else ())]
        length = min(self._manifest.max_length, self.network.positions - len(start))
        if length < 1:
            raise CaptionerError(
                "The prompt is too long for this model.", "Use a few words to begin the sentence with."
            )
        step = Decoding(self.network, self.network.encode(seen)).step
        if self._beams == 1:
            return greedy(step, start, length=length, end=self._manifest.sep, banned=banned)
        return beam(step, start, beams=self._beams, length=length, end=self._manifest.sep, banned=banned)
