"""Read the tensors of `model.safetensors`, whole or in shards, through the safetensors library."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  (teaches numpy the name bfloat16, which the safetensors library asks it for)
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from appliance.errors import CheckpointError

_NEXT_STEP = "Download the file again."


class SafetensorsTensors(Mapping[str, NDArray[Any]]):
    """The tensors of one or several `.safetensors` files, by name; each is read from the disk when asked for.

    Raises CheckpointError, naming the file, where one is cut off or damaged.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._shards: dict[str, tuple[Path, Any]] = {}
        for path in paths:
            try:
                shard: Any = safe_open(path, framework="np")
            except (SafetensorError, OSError) as error:
                raise CheckpointError(f"{path} is cut off or damaged: {error}.", _NEXT_STEP) from error
            self._shards |= {name: (path, shard) for name in shard.keys()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        path, shard = self._shards[name]
        try:
            tensor: NDArray[Any] = shard.get_tensor(name)
        except (SafetensorError, TypeError) as error:  # TypeError: an 8-bit or 4-bit number that numpy does not know
            raise CheckpointError(f"{name} in {path} cannot be read: {error}.", _NEXT_STEP) from error
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._shards)

    def __len__(self) -> int:
        return len(self._shards)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape without reading it."""
        return tuple(self._shards[name][1].get_slice(name).get_shape())


def shards(index: Path) -> list[Path]:
    """Return the files that a `model.safetensors.index.json` names; raise CheckpointError where one is missing."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        outside = [name for name in names if Path(name).name != name]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{index} is damaged: {error!r}.", _NEXT_STEP) from error
    if outside:
        raise CheckpointError(f"{index} names a file outside of its folder: {outside[0]!r}.", _NEXT_STEP)
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing or not names:
        raise CheckpointError(f"{index.parent} lacks {', '.join(missing) or 'the weights'}.", "Copy it there as well.")
    return [index.parent / name for name in names]
