"""Read the tensors of a `pytorch_model.bin` without torch and without running anything that the file asks for.

Such a file is a zip of a pickle (`data.pkl`: names, shapes, which storage) and raw storages (`data/0`, `data/1`, …),
none of them compressed. A pickle can name any function to be called; here only six names mean anything, all of them
stand-ins of this module, and only the opcodes that torch writes are let through.
"""

import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, Literal, NamedTuple, Never

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from appliance.errors import CheckpointError
from appliance.modelstore.pickle_check import inspect
from appliance.sentences import say

_DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype(np.float32),
    "HalfStorage": np.dtype(np.float16),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "DoubleStorage": np.dtype(np.float64),
    "LongStorage": np.dtype(np.int64),
    "IntStorage": np.dtype(np.int32),
    "ShortStorage": np.dtype(np.int16),
    "CharStorage": np.dtype(np.int8),
    "ByteStorage": np.dtype(np.uint8),
    "BoolStorage": np.dtype(np.bool_),
}
_LARGEST_PICKLE = 16 << 20  # BLIP-base's has about 120 KB
_LARGEST_DIRECTORY = 16 << 20  # BLIP-base's has about 40 KB
_TAIL = (64 << 10) + 98  # the directory's end, with the longest remark it may carry
_LARGEST_WORD = 64
_MOST_DIMENSIONS = 8
_CHUNK = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_NEXT_STEP = say("Download the file again.")


# Tuples, so that nothing can be set on them once they are made.
class _Storage(NamedTuple):
    """Raw numbers in the zip: the member `data/{key}`, `size` of them."""

    key: str
    dtype: np.dtype[Any]
    size: int


class _View(NamedTuple):
    """A tensor: where it begins in its storage, its shape, and its strides, all counted in numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StateDict(dict[str, Any]):
    """Stands in for OrderedDict; what the file wants to set on it beside its entries is dropped."""

    def __init__(self) -> None:  # torch fills it afterwards
        super().__init__()

    def __setstate__(self, state: object) -> None:
        return None


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _View:
    for numbers in (shape, strides, (offset,)):
        if not isinstance(numbers, tuple) or any(type(number) is not int or number < 0 for number in numbers):
            raise pickle.UnpicklingError("a tensor has an impossible shape, stride or offset")
    if not isinstance(storage, _Storage) or len(shape) != len(strides) or len(shape) > _MOST_DIMENSIONS:
        raise pickle.UnpicklingError("a tensor is not described as torch does it")
    return _View(storage, offset, shape, strides)


def _rebuild_parameter(view: Any, *_: Any) -> _View:
    if not isinstance(view, _View):
        raise pickle.UnpicklingError("a parameter is not a tensor")
    return view


_ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _StateDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}


class _Unpickler(pickle.Unpickler):
    """Knows state dicts, tensors, parameters and typed storages, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ADMITTED:
            return _ADMITTED[module, name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no model needs")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", np.dtype() as dtype, str(key), str(), int(count)) if key.isdecimal() and count >= 0:
                return _Storage(key, dtype, count)
        raise pickle.UnpicklingError("a storage is not described as torch does it")


class TorchTensors(Mapping[str, NDArray[Any]]):
    """The tensors of a `.bin`, by name; each is read from the disk when asked for, and its storage checked by CRC-32.

    The file is read rather than mapped, so that what was read takes no memory once nobody needs it. Raises
    CheckpointError, naming the file, where it is not a torch zip, asks for anything but tensors, is damaged, or lies
    about sizes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._size = file.seek(0, os.SEEK_END)
        except OSError as error:
            raise CheckpointError("{path} cannot be read: {error}.", _NEXT_STEP, path=path, error=error) from error
        self._members = self._directory()
        self._found_right: set[str] = set()
        order = self._member("byteorder", _LARGEST_WORD).strip() if "byteorder" in self._members else b"little"
        if order not in {b"little", b"big"}:
            self._refuse(say("its byte order is unknown"))
        self._order: Literal["<", ">"] = "<" if order == b"little" else ">"
        self._views = self._unpickle(self._member("data.pkl", _LARGEST_PICKLE))

    def __getitem__(self, name: str) -> NDArray[Any]:
        view = self._views[name]
        dtype = view.storage.dtype.newbyteorder(self._order)
        if not prod(view.shape):
            return np.empty(view.shape, dtype)
        begin = self._checked(f"data/{view.storage.key}") + view.offset * dtype.itemsize
        span = 1 + sum((side - 1) * stride for side, stride in zip(view.shape, view.strides, strict=True))
        numbers = np.frombuffer(self._read(begin, span * dtype.itemsize), dtype)
        strides = [stride * dtype.itemsize for stride in view.strides]
        array = np.lib.stride_tricks.as_strided(numbers, view.shape, strides, writeable=False)
        return np.asarray(array, order="C")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape without reading it."""
        return self._views[name].shape

    def _refuse(self, reason: str, next_step: str = _NEXT_STEP) -> Never:
        # What the file says of itself may be long, and may mean something to a terminal.
        plain = "".join(letter if letter.isprintable() else "?" for letter in reason[:200])
        shown = reason if plain == reason else plain
        raise CheckpointError("{path} cannot be used: {shown}.", next_step, path=self._path, shown=shown)

    def _directory(self) -> dict[str, tuple[int, int, int]]:
        """Return each member's begin, size and CRC-32 by its name below the zip's one folder."""
        beginning = self._read(0, 2)
        if beginning != b"PK":
            if beginning[:1] == b"\x80":
                self._refuse(
                    say("it is in torch's format from before version 1.6"),
                    say("Load it with a current torch and save it again, or use model.safetensors."),
                )
            self._refuse(say("it is not a file that torch has saved"))
        if self._directory_size() > _LARGEST_DIRECTORY:
            self._refuse(say("it has too many parts"))
        try:
            with zipfile.ZipFile(self._path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
            self._refuse(say("it is cut off or damaged ({error})", error=error))
        members: dict[str, tuple[int, int, int]] = {}
        end = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            name = entry.filename.partition("/")[2]
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                self._refuse(say("a part of it is compressed, which torch never does"))
            header = self._read(entry.header_offset, _LOCAL_HEADER.size)
            if entry.header_offset < end or len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
                self._refuse(say("its parts overlap or lie outside of the file"))
            _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
            begin = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
            end = begin + entry.file_size
            if end > self._size or name in members:
                self._refuse(say("its parts overlap or lie outside of the file"))
            members[name] = (begin, entry.file_size, entry.CRC)
        return members

    def _directory_size(self) -> int:
        """Return how large the zip says its directory is, which the library would take into memory whole."""
        tail = self._read(max(0, self._size - _TAIL), _TAIL)
        short, long = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
        sizes = [struct.unpack_from("<I", tail, short + 12)] if 0 <= short <= len(tail) - 22 else []
        if sizes == [(0xFFFFFFFF,)]:
            sizes = [struct.unpack_from("<Q", tail, long + 40)] if 0 <= long <= len(tail) - 56 else []
        return sizes[0][0] if sizes else 0

    def _member(self, name: str, largest: int) -> bytes:
        """Return a small member's content, checked."""
        begin = self._checked(name)
        size = self._members[name][1]
        if size > largest:
            self._refuse(say("its part {name} is too long", name=name))
        return self._read(begin, size)

    def _checked(self, name: str) -> int:
        """Return where the member's content begins, once its checksum was found right."""
        if name not in self._members:
            self._refuse(say("its part {name} is missing", name=name))
        begin, size, crc = self._members[name]
        if name not in self._found_right:
            found = 0
            for place in range(begin, begin + size, _CHUNK):
                found = zlib.crc32(self._read(place, min(_CHUNK, begin + size - place)), found)
            if found != crc:
                self._refuse(say("its part {name} is damaged (its checksum is wrong)", name=name))
            self._found_right.add(name)
        return begin

    def _read(self, begin: int, size: int) -> bytes:
        """Return `size` bytes of the file, fewer only where it ends."""
        try:
            with self._path.open("rb") as file:
                file.seek(begin)
                return file.read(size)
        except OSError as error:
            raise CheckpointError(
                "{path} cannot be read: {error}.", _NEXT_STEP, path=self._path, error=error
            ) from error

    def _unpickle(self, pickled: bytes) -> dict[str, _View]:
        try:
            inspect(pickled)
            state = _Unpickler(BytesIO(pickled)).load()
        except CheckpointError:
            raise
        except Exception as error:  # a crafted pickle can make the unpickler raise nearly anything
            self._refuse(
                say("its list of tensors is not one: {error}", error=error),
                say("Use a file from a source that you trust."),
            )
        if not isinstance(state, dict):
            self._refuse(say("it does not hold a model's weights"))
        views: dict[str, _View] = {}
        for name, view in state.items():
            if not isinstance(name, str) or not isinstance(view, _View):
                self._refuse(
                    say("it holds other things than tensors"), say("Use the model's pytorch_model.bin as published.")
                )
            self._check(name, view)
            views[name] = view
        return views

    def _check(self, name: str, view: _View) -> None:
        """Refuse a tensor that reaches beyond its storage, or a storage that is larger than its bytes."""
        storage = view.storage
        _, size, _ = self._members.get(f"data/{storage.key}", (0, -1, 0))
        if size != storage.size * storage.dtype.itemsize:
            self._refuse(say("the numbers of {name} are missing or cut off", name=name))
        count = prod(view.shape)
        last = view.offset + sum((side - 1) * stride for side, stride in zip(view.shape, view.strides, strict=True))
        # More numbers than the storage holds would be a small file that unfolds into a large one.
        if count and (last >= storage.size or count > storage.size):
            self._refuse(say("{name} reaches beyond its numbers", name=name))
