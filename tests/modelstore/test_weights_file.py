"""A graph's weights go to the disk one by one, and come back as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from appliance.modelstore import weights_file
from appliance.modelstore.weights_file import Keep, WeightsFile, beside, read, settle

ARRAYS: dict[str, Any] = {
    "large": np.arange(600, dtype=np.float32).reshape(20, 30),
    "turned": np.arange(900, dtype=np.float32).reshape(30, 30).T,
    "whole": np.arange(-100, 3000, dtype=np.int64).astype(np.int8),
    "half": np.linspace(0, 1, 2000).astype(np.float16),
    "small": np.arange(3, dtype=np.int64),
    "scalar": np.array(7, dtype=np.int64),
}


def graph(keep: Keep) -> onnx.ModelProto:
    """A graph without nodes that has all these constants."""
    constants = [keep(array, name) for name, array in ARRAYS.items()]
    return helper.make_model(helper.make_graph([], "weights", [], [], initializer=constants))


def written(path: Path) -> onnx.ModelProto:
    with WeightsFile(path) as file:
        made = graph(file.keep)
    onnx.save_model(made, path)
    return onnx.load(path, load_external_data=False)


def test_weights_lie_beside_the_graph_and_come_back(tmp_path: Path) -> None:
    made = written(tmp_path / "g.onnx")
    assert (tmp_path / "g.onnx").stat().st_size < 1500
    assert beside(tmp_path / "g.onnx").name == "g.onnx.data"
    for constant, array in zip(made.graph.initializer, ARRAYS.values(), strict=True):
        found = read(constant, tmp_path)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
        assert found.shape == array.shape
        where = {entry.key: entry.value for entry in constant.external_data}
        assert bool(where) == (array.nbytes >= 1024)
        assert int(where.get("offset", 0)) % 64 == 0
    assert not made.graph.initializer[0].raw_data, "reading one leaves it where it is"


def test_a_settled_graph_is_the_one_that_is_made_in_memory(tmp_path: Path) -> None:
    written(tmp_path / "g.onnx")
    settle(tmp_path / "g.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["g.onnx"]
    assert (tmp_path / "g.onnx").read_bytes() == graph(onnx.numpy_helper.from_array).SerializeToString()


def test_many_weights_stay_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_file, "LARGEST_INSIDE", 5000)
    written(tmp_path / "g.onnx")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    settle(tmp_path / "g.onnx")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(before) == {"g.onnx", "g.onnx.data"}


def test_the_bytes_of_each_are_told(tmp_path: Path) -> None:
    told: list[int] = []
    with WeightsFile(tmp_path / "g.onnx", told.append) as file:
        graph(file.keep)
    assert told == [array.nbytes for array in ARRAYS.values()]
