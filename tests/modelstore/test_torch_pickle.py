"""A `.bin` gives its tensors, and nothing in it is ever run."""

import struct
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import CheckpointError
from appliance.modelstore.torch_pickle import TorchTensors

HEAD = b"\x80\x02ccollections\nOrderedDict\n)R("
SQUARE = np.arange(12, dtype=np.float32).reshape(3, 4)


def word(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float16, np.float64, np.int64, np.uint8, np.bool_, ml_dtypes.bfloat16]
)
def test_numbers_of_every_kind(tmp_path: Path, torch_zip: Any, dtype: Any) -> None:
    torch_zip.add("a", SQUARE.astype(dtype))
    torch_zip.add("scalar", np.array(5, dtype=dtype))
    torch_zip.add("none", np.zeros((0, 3), dtype=dtype))
    tensors = TorchTensors(torch_zip.save(tmp_path / "a.bin"))
    assert list(tensors) == ["a", "scalar", "none"]
    assert tensors["a"].dtype == dtype
    np.testing.assert_array_equal(tensors["a"], SQUARE.astype(dtype))
    assert tensors["scalar"].shape == ()
    assert tensors["scalar"] == dtype(5)
    assert tensors["none"].shape == (0, 3)
    assert tensors.shape("a") == (3, 4)
    assert len(tensors) == 3


def test_tensors_that_share_a_storage_with_offsets_and_strides(tmp_path: Path, torch_zip: Any) -> None:
    storage = torch_zip.storage("0", SQUARE.tobytes(), "FloatStorage", 12)
    torch_zip.entries.append(word("turned") + torch_zip.tensor(storage, (4, 3), (1, 4)))
    torch_zip.entries.append(word("column") + torch_zip.tensor(storage, (3,), (4,), offset=2))
    torch_zip.entries.append(word("row") + torch_zip.tensor(storage, (4,), (1,), offset=8, parameter=True))
    tensors = TorchTensors(torch_zip.save(tmp_path / "a.bin"))
    np.testing.assert_array_equal(tensors["turned"], SQUARE.T)
    np.testing.assert_array_equal(tensors["column"], SQUARE[:, 2])
    np.testing.assert_array_equal(tensors["row"], SQUARE[2])
    assert tensors["turned"].flags.c_contiguous


def test_big_endian_numbers(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.members["byteorder"] = b"big"
    storage = torch_zip.storage("0", SQUARE.astype(">f4").tobytes(), "FloatStorage", 12)
    torch_zip.entries.append(word("a") + torch_zip.tensor(storage, (3, 4), (4, 1)))
    np.testing.assert_array_equal(TorchTensors(torch_zip.save(tmp_path / "a.bin"))["a"], SQUARE)


def test_no_byte_order_means_little_endian(tmp_path: Path, torch_zip: Any) -> None:
    del torch_zip.members["byteorder"]
    torch_zip.add("a", SQUARE)
    np.testing.assert_array_equal(TorchTensors(torch_zip.save(tmp_path / "a.bin"))["a"], SQUARE)


def test_what_a_state_dict_carries_beside_its_tensors_is_dropped(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", SQUARE)
    metadata = b"}" + word("_metadata") + b"}s" + b"b"
    pickled = HEAD + b"".join(torch_zip.entries) + b"u" + metadata + b"."
    assert list(TorchTensors(torch_zip.save(tmp_path / "a.bin", pickled))) == ["a"]


def harmful(mark: Path) -> dict[str, bytes]:
    """Pickles that would touch the file `mark` if anything in them ran."""
    command = word(f"touch {mark}")
    return {
        "os.system": b"\x80\x02cos\nsystem\n" + command + b"\x85R.",
        "posix.system": b"\x80\x02cposix\nsystem\n" + command + b"\x85R.",
        "eval": b"\x80\x02cbuiltins\neval\n" + word(f"open({str(mark)!r}, 'w')") + b"\x85R.",
        "getattr": b"\x80\x02cbuiltins\ngetattr\n" + command + b"\x85R.",
        "INST": b"\x80\x02(" + command + b"ios\nsystem\n.",
        "OBJ": b"\x80\x02(cos\nsystem\n" + command + b"o.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93" + command + b"\x85R.",
        "NEWOBJ": b"\x80\x02cpathlib\nPath\n)\x81.",
        "EXT1": b"\x80\x02\x82\x01.",
        "torch function": b"\x80\x02ctorch\nload\n" + command + b"\x85R.",
        "dotted name": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n.",
        "in a state dict": HEAD + word("a") + b"cos\nsystem\n" + command + b"\x85Ru.",
        "as a state": b"\x80\x02ccollections\nOrderedDict\n)R}" + word("a") + b"cos\nsystem\n" + b"sb.",
        "numpy": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n.",
    }


@pytest.mark.parametrize("what", sorted(harmful(Path("mark"))))
def test_a_pickle_that_asks_for_anything_else_is_refused_and_not_run(tmp_path: Path, torch_zip: Any, what: str) -> None:
    mark = tmp_path / "mark"
    path = torch_zip.save(tmp_path / "a.bin", harmful(mark)[what])
    with pytest.raises(CheckpointError, match=r"a\.bin cannot be used"):
        TorchTensors(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02].",  # a list
        b"\x80\x02}" + word("a") + b"K\x01s.",  # a number where a tensor belongs
        b"\x80\x02}K\x01" + b"K\x01s.",  # a name that is none
        b"\x80\x02}r\xff\xff\xff\x7f.",  # a memo index that would take 32 GB
        b"\x80\x02X\xff\xff\xff\x7fabc.",  # a text that ends too early
        b"\x80\x02h\x05.",  # an unknown memo entry
        b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
        HEAD + word("a") + b"ctorch._utils\n_rebuild_parameter\n(K\x01K\x01K\x01tRu.",
        HEAD + word("a") + b"ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x00))\x89NtRu.",
        HEAD + word("a") + b"(" + word("module") + b"tQu.",
    ],
)
def test_pickles_that_are_no_list_of_tensors(tmp_path: Path, torch_zip: Any, pickled: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"a\.bin"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin", pickled))


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((13,), (1,), 0),
        ((12,), (1,), 1),
        ((2, 6), (7, 1), 0),
        ((1,), (1,), 12),
        ((1 << 40,), (0,), 0),  # a terabyte unfolded from one number
        ((-1,), (1,), 0),
        ((3,), (-1,), 2),
        ((3,), (1,), -1),
        ((1 << 62, 1 << 62), (1, 1), 0),
        ((1,) * 60, (1,) * 60, 0),
        ((3, 4), (1,), 0),
    ],
)
def test_tensors_that_reach_beyond_their_numbers(
    tmp_path: Path, torch_zip: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    storage = torch_zip.storage("0", SQUARE.tobytes(), "FloatStorage", 12)
    torch_zip.entries.append(word("a") + torch_zip.tensor(storage, shape, strides, offset))
    with pytest.raises(CheckpointError):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))


@pytest.mark.parametrize("count", [11, 13, -1])
def test_storages_that_lie_about_their_size(tmp_path: Path, torch_zip: Any, count: int) -> None:
    storage = torch_zip.storage("0", SQUARE.tobytes(), "FloatStorage", count)
    torch_zip.entries.append(word("a") + torch_zip.tensor(storage, (3,), (1,)))
    with pytest.raises(CheckpointError):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))


def test_a_storage_that_is_not_there(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", SQUARE)
    del torch_zip.members["data/0"]
    with pytest.raises(CheckpointError, match="missing or cut off"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))


@pytest.mark.parametrize("key", ["../0", "0/../../a", "", "x"])
def test_storage_names_that_are_no_numbers(tmp_path: Path, torch_zip: Any, key: str) -> None:
    storage = torch_zip.storage(key, SQUARE.tobytes(), "FloatStorage", 12)
    torch_zip.entries.append(word("a") + torch_zip.tensor(storage, (12,), (1,)))
    with pytest.raises(CheckpointError):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))


def test_changed_numbers_are_found_by_their_checksum(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", SQUARE)
    torch_zip.add("b", SQUARE + 100)
    path = torch_zip.save(tmp_path / "a.bin")
    content = bytearray(path.read_bytes())
    content[content.index((SQUARE + 100).tobytes())] ^= 1
    path.write_bytes(content)
    tensors = TorchTensors(path)
    np.testing.assert_array_equal(tensors["a"], SQUARE)
    with pytest.raises(CheckpointError, match="checksum"):
        tensors["b"]


def test_compressed_parts_are_refused_before_they_unfold(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", np.zeros(1 << 20, dtype=np.float32))
    torch_zip.compression = zipfile.ZIP_DEFLATED
    with pytest.raises(CheckpointError, match="compressed"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))


def test_parts_that_overlap_are_refused(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", SQUARE)
    torch_zip.add("b", SQUARE)
    path = torch_zip.save(tmp_path / "a.bin")
    content = bytearray(path.read_bytes())
    first, second = (content.rindex(f"archive/data/{key}".encode()) - 4 for key in (0, 1))  # the directory's offsets
    content[second : second + 4] = content[first : first + 4]
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="overlap"):
        TorchTensors(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a file that torch has saved"),
        (b"PK\x03\x04", "damaged"),
        (b"hello", "not a file that torch has saved"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not a file that torch has saved"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "before version 1.6"),
    ],
)
def test_files_that_are_no_torch_zip(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=reason):
        TorchTensors(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path / "none.bin", tmp_path):
        with pytest.raises(CheckpointError, match="cannot be read"):
            TorchTensors(path)


def test_a_zip_without_a_list_of_tensors(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/version", b"3")
    with pytest.raises(CheckpointError, match=r"data\.pkl is missing"):
        TorchTensors(path)


def test_an_unknown_byte_order(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.members["byteorder"] = b"middle"
    with pytest.raises(CheckpointError, match="byte order"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_rightly_or_refused(tmp_path: Path, torch_zip: Any, data: st.DataObject) -> None:
    if not torch_zip.entries:
        torch_zip.add("a", SQUARE)
    path = torch_zip.save(tmp_path / "a.bin")
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    try:
        tensors = TorchTensors(path)
        for key in tensors:
            assert tensors[key].size <= SQUARE.size
    except CheckpointError:
        pass
