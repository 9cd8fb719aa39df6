"""A graph's weights in a file beside it (`encoder.onnx.data`): each is written as it is made and held by nobody.

So a model of a gigabyte is built with the memory that its largest weight takes.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Keep = Callable[[NDArray[Any], str], TensorProto]

# Bytes of weights up to which a finished graph is one file; those beside it are mapped, and not in memory twice while
# they are loaded.
LARGEST_INSIDE = 16 << 20
_SMALL = 1024  # bytes; shapes and other small numbers stay in the graph, which onnxruntime needs to read it
_ALIGNMENT = 64  # bytes; what is mapped then suits every processor's widest instructions


class WeightsFile:
    """The file beside the graph at `path`, being written; `report` gets the bytes of each weight that was kept."""

    def __init__(self, path: Path, report: Callable[[int], None] = lambda _: None) -> None:
        self._path = beside(path)
        self._report = report

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def keep(self, array: NDArray[Any], name: str) -> TensorProto:
        """Write `array` and return the constant `name`, which says where it lies; raises OSError."""
        array = np.asarray(array, order="C")
        self._report(array.nbytes)
        if array.nbytes < _SMALL:
            return numpy_helper.from_array(array, name)
        self._file.write(bytes(-self._file.tell() % _ALIGNMENT))
        offset = self._file.tell()
        self._file.write(array.data)
        constant = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
        constant.data_location = TensorProto.EXTERNAL
        for key, value in {"location": self._path.name, "offset": offset, "length": array.nbytes}.items():
            constant.external_data.add(key=key, value=str(value))
        return constant


def beside(path: Path) -> Path:
    """Return where the weights of the graph at `path` lie, if they are not in it."""
    return path.with_name(f"{path.name}.data")


def read(constant: TensorProto, folder: Path) -> NDArray[Any]:
    """Return the numbers of a graph's constant, wherever they are; the constant itself stays as it is."""
    copy = TensorProto()
    copy.CopyFrom(constant)
    array: NDArray[Any] = numpy_helper.to_array(copy, str(folder))
    return array


def settle(path: Path) -> None:
    """Put weights that lie beside the finished graph at `path` into its own file, where they are few."""
    data = beside(path)
    if data.stat().st_size <= LARGEST_INSIDE:
        graph = onnx.load(path)
        for constant in graph.graph.initializer:
            constant.ClearField("data_location")  # as if they had never been elsewhere
        onnx.save_model(graph, path)
        data.unlink()
