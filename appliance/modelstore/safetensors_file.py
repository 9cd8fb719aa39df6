"""Read the tensors of `model.safetensors`, whole or in shards, through the safetensors library."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  (teaches numpy the name bfloat16, which the safetensors library asks it for)
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from appliance.errors import CheckpointError
from appliance.sentences import say

_NEXT_STEP = say("Download the file again.")


class SafetensorsTensors(Mapping[str, NDArray[Any]]):
    """The tensors of one or several `.safetensors` files, by name; each is read from the disk when asked for.

    A file is opened anew for each: the library maps it, and what was read would stay in this process's memory until it
    is closed. Raises CheckpointError, naming the file, where one is cut off or damaged.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._places: dict[str, Path] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        for path in paths:
            with _opened(path) as shard:
                self._places |= dict.fromkeys(shard.keys(), path)
                self._shapes |= {name: tuple(shard.get_slice(name).get_shape()) for name in shard.keys()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        path = self._places[name]
        with _opened(path) as shard:
            try:
                tensor: NDArray[Any] = shard.get_tensor(name)
            except (SafetensorError, TypeError) as error:  # TypeError: an 8-bit or 4-bit number, unknown to numpy
                raise CheckpointError(
                    "{name} in {path} cannot be read: {error}.", _NEXT_STEP, name=name, path=path, error=error
                ) from error
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape without reading it."""
        return self._shapes[name]


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="np")
    except (SafetensorError, OSError) as error:
        raise CheckpointError("{path} is cut off or damaged: {error}.", _NEXT_STEP, path=path, error=error) from error


def shards(index: Path) -> list[Path]:
    """Return the files that a `model.safetensors.index.json` names; raise CheckpointError where one is missing."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        outside = [name for name in names if Path(name).name != name]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError("{index} is damaged: {error}.", _NEXT_STEP, index=index, error=repr(error)) from error
    if outside:
        raise CheckpointError(
            "{index} names a file outside of its folder: {outside}.", _NEXT_STEP, index=index, outside=repr(outside[0])
        )
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing or not names:
        raise CheckpointError(
            "{parent} lacks {missing}.",
            "Copy it there as well.",
            parent=index.parent,
            missing=", ".join(missing) or say("the weights"),
        )
    return [index.parent / name for name in names]
