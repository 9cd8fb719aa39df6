"""The two graphs of a BLIP model at work: a picture encoded once, tokens decoded with a cache of keys and values.

Nothing large is copied on the way: the encoder's outputs are handed to the decoder as they lie (OrtValue), and each
step's keys and values are bound as the next step's inputs.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime import OrtValue

from appliance.caption.providers import CPU, Provider, named
from appliance.caption.rows import chosen
from appliance.caption.session import open_session, out_of_memory
from appliance.errors import CaptionerError, ModelError, TooLittleMemoryError

_POSITIONS = 512  # of every BLIP published; a graph says its own in its metadata


class Network:
    """A model's encoder and decoder sessions, opened from a folder that holds encoder.onnx and decoder.onnx."""

    def __init__(self, folder: Path, *, provider: str | Provider = CPU, threads: int = 0, lean: bool = False) -> None:
        self.provider = named(provider) if isinstance(provider, str) else provider
        self._encoder = open_session(folder / "encoder.onnx", self.provider, threads, lean=lean)
        self.decoder = open_session(folder / "decoder.onnx", self.provider, threads, lean=lean)
        shapes = {entry.name: entry.shape for entry in self.decoder.get_inputs()}
        if "past_key_0" not in shapes or [entry.name for entry in self._encoder.get_inputs()] != ["pixels"]:
            raise ModelError("{folder} holds no BLIP model made by Shoebox.", "Install the model again.", folder=folder)
        self.layers = sum(name.startswith("past_key_") for name in shapes)
        self.cache_shape = (int(shapes["past_key_0"][1]), int(shapes["past_key_0"][3]))
        types = {entry.name: entry.type for entry in self.decoder.get_inputs()}
        self.cache_type = np.float16 if types["past_key_0"] == "tensor(float16)" else np.float32
        metadata = self.decoder.get_modelmeta().custom_metadata_map
        self.positions = int(metadata.get("positions", _POSITIONS))

    def encode(self, pixels: NDArray[np.float32]) -> dict[str, OrtValue]:
        """Look at `pixels` [n, 3, height, width]; return by name each layer's cross-attention keys and values."""
        binding = self._encoder.io_binding()
        binding.bind_cpu_input("pixels", pixels)
        names = [entry.name for entry in self._encoder.get_outputs()]
        for name in names:
            binding.bind_output(name, self.provider.tensors)
        _run(self._encoder, binding)
        return dict(zip(names, binding.get_outputs(), strict=True))

    def logits(self, pixels: NDArray[np.float32], tokens: Sequence[int]) -> NDArray[np.float32]:
        """Return the scores [n, vocabulary] of what follows each of `tokens`, fed all at once."""
        scores: NDArray[np.float32] = Decoding(self, self.encode(pixels)).feed(np.array([tokens], dtype=np.int64), [0])[
            0
        ]
        return scores


class Decoding:
    """Captions in the making: the pictures' keys and values, and those of the tokens so far.

    Of several pictures each has as many beams as the others, one after the other; they share their picture's.
    """

    def __init__(self, network: Network, cross: dict[str, OrtValue]) -> None:
        self._session = network.decoder
        self._provider = network.provider
        self._device = network.provider.tensors
        self._binding = network.decoder.io_binding()
        for name, value in cross.items():
            self._binding.bind_ortvalue_input(name, value)
        pictures: int = next(iter(cross.values())).shape()[0]
        heads, size = network.cache_shape
        self._names = [f"{kind}_{layer}" for layer in range(network.layers) for kind in ("key", "value")]
        nothing = OrtValue.ortvalue_from_numpy(
            np.empty((pictures, heads, 0, size), dtype=network.cache_type), self._device
        )
        self._cache = dict.fromkeys(self._names, nothing)
        self._beams = pictures

    def step(self, tokens: NDArray[np.int64], parents: Sequence[int]) -> NDArray[np.float32]:
        """Feed `tokens` [beams, n] and return the scores [beams, vocabulary] of what follows the last of them.

        Row i goes on from row `parents[i]` of the step before.
        """
        return self.feed(tokens, parents)[:, -1]

    def feed(self, tokens: NDArray[np.int64], parents: Sequence[int]) -> NDArray[np.float32]:
        """Feed `tokens` as `step` does and return the scores [beams, n, vocabulary] of what follows each of them."""
        if list(parents) != list(range(self._beams)):
            self._cache = {name: chosen(value, parents, self._provider) for name, value in self._cache.items()}
        binding = self._binding
        binding.bind_cpu_input("tokens", np.ascontiguousarray(tokens, dtype=np.int64))
        binding.bind_output("logits", "cpu")
        for name, value in self._cache.items():
            binding.bind_ortvalue_input(f"past_{name}", value)
            binding.bind_output(name, self._device)
        _run(self._session, binding)
        logits, *cache = binding.get_outputs()
        self._cache = dict(zip(self._names, cache, strict=True))
        self._beams = len(tokens)
        scores: NDArray[np.float32] = logits.numpy().astype(np.float32, copy=False)
        return scores


def _run(session: onnxruntime.InferenceSession, binding: onnxruntime.IOBinding) -> None:
    try:
        session.run_with_iobinding(binding)
    except Exception as error:  # onnxruntime's own exceptions derive from Exception alone
        if out_of_memory(error):
            raise TooLittleMemoryError from error
        raise CaptionerError(
            "The model failed on this picture: {error}.",
            "Try again; if it stays, install the model again.",
            error=error,
        ) from error
