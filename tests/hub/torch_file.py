"""A `pytorch_model.bin` as torch.save writes it, assembled by hand: no torch, and every part of it can be wrong."""

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STORAGES = {
    "float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "int64": "LongStorage",
    "uint8": "ByteStorage", "bool": "BoolStorage", "bfloat16": "BFloat16Storage",
}  # fmt: skip


def text(value: str) -> bytes:
    """BINUNICODE."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def integers(values: tuple[int, ...]) -> bytes:
    """A tuple of LONG1 numbers."""
    return b"(" + b"".join(b"\x8a" + bytes([9]) + value.to_bytes(9, "little", signed=True) for value in values) + b"t"


@dataclass
class TorchZip:
    """The file's members by name, and the list of its tensors; a member may also be made when it is written."""

    members: dict[str, bytes | Callable[[], bytes]] = field(
        default_factory=lambda: {"byteorder": b"little", "version": b"3\n"}
    )
    entries: list[bytes] = field(default_factory=list)
    compression: int = zipfile.ZIP_STORED

    def storage(self, key: str, content: bytes | Callable[[], bytes], kind: str, count: int) -> bytes:
        """Add a storage; return the pickle of a reference to it."""
        self.members[f"data/{key}"] = content
        numbers = b"J" + struct.pack("<i", count)
        return b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + numbers + b"tQ"

    def tensor(
        self,
        storage: bytes,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int = 0,
        *,
        parameter: bool = False,
    ) -> bytes:
        """Return the pickle of a tensor that lies in `storage`."""
        hooks = name("collections", "OrderedDict") + b")R"
        start = b"\x8a\x09" + offset.to_bytes(9, "little", signed=True)
        rebuilt = name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + start + integers(shape)
        rebuilt += integers(strides) + b"\x89" + hooks + b"tR"
        if parameter:
            return name("torch._utils", "_rebuild_parameter") + b"(" + rebuilt + b"\x88" + hooks + b"tR"
        return rebuilt

    def add(self, key: str, array: NDArray[Any]) -> None:
        """Add a whole tensor called `key`."""
        array = np.asarray(array, order="C")
        strides = tuple(stride // array.itemsize for stride in array.strides)
        storage = self.storage(str(len(self.entries)), array.tobytes(), STORAGES[array.dtype.name], array.size)
        self.entries.append(text(key) + self.tensor(storage, array.shape, strides))

    def add_later(self, key: str, shape: tuple[int, ...], make: Callable[[], NDArray[np.float32]]) -> None:
        """Add a whole float32 tensor called `key` that is made when the file is written."""
        count = int(np.prod(shape))
        storage = self.storage(str(len(self.entries)), lambda: make().tobytes(), "FloatStorage", count)
        strides = tuple(int(np.prod(shape[place + 1 :])) for place in range(len(shape)))
        self.entries.append(text(key) + self.tensor(storage, shape, strides))

    def save(self, path: Path, pickled: bytes | None = None) -> Path:
        """Write the file; `pickled` takes the place of the list of tensors."""
        if pickled is None:
            pickled = b"\x80\x02" + name("collections", "OrderedDict") + b")R(" + b"".join(self.entries) + b"u."
        with zipfile.ZipFile(path, "w", self.compression) as archive:
            for member, content in {"data.pkl": pickled, **self.members}.items():
                archive.writestr(f"archive/{member}", content() if callable(content) else content)
        return path
