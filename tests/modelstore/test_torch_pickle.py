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


def storage(count: bytes) -> bytes:
    return b"(" + word("storage") + b"ctorch\nFloatStorage\n" + word("0") + word("cpu") + count + b"tQ"


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
        "getattr chain": b"\x80\x02cbuiltins\ngetattr\n(cbuiltins\n__import__\n"
        + word("os")
        + b"\x85R"
        + word("system")
        + b"tR"
        + command
        + b"\x85R.",
        "apply": b"\x80\x02cbuiltins\nmap\ncos\nsystem\n]" + command + b"a\x86R.",
        "exec in a module": b"\x80\x02ctorch.serialization\nos.system\n" + command + b"\x85R.",
        "NEWOBJ_EX": b"\x80\x04\x8c\x07pathlib\x8c\x04Path\x93)}\x92.",
        "EXT2": b"\x80\x02\x83\x01\x00.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "PERSID": b"\x80\x00Pos.system\n.",
        "text opcodes": b"cos\nsystem\n(S'" + f"touch {mark}".encode() + b"'\ntR.",
        "a name of ours with a method": b"\x80\x02ccollections\nOrderedDict.fromkeys\n" + command + b"\x85R.",
        "a storage made from a storage": b"\x80\x02" + storage(storage(b"K\x01")) + b".",
        "a storage whose key is a command": b"\x80\x02("
        + word("storage")
        + b"cos\nsystem\n"
        + command
        + command
        + b"K\x01tQ.",
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


def integer(value: int) -> bytes:
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def far_away(given: bytes) -> bytes:
    """The inside of a tensor that was checked, as it should not be: a stride to before the file's beginning."""
    return b"](" + given + integer(0) + b"(" + integer(4) + b"t(" + integer(-(10**9)) + b"te"


@pytest.mark.parametrize("state", ["list", "dict", "slots"])
@pytest.mark.parametrize("target", ["tensor", "storage", "kind", "class", "function"])
def test_the_inside_of_what_was_checked_cannot_be_changed(
    tmp_path: Path, torch_zip: Any, target: str, state: str
) -> None:
    given = torch_zip.storage("0", SQUARE.tobytes(), "FloatStorage", 12)
    targets = {
        "tensor": torch_zip.tensor(given, (3,), (1,)),
        "storage": given,
        "kind": b"ctorch\nFloatStorage\n",
        "class": b"ccollections\nOrderedDict\n",
        "function": b"ctorch._utils\n_rebuild_tensor_v2\n",
    }
    entry = b"}" + word("strides") + b"(" + integer(-(10**9)) + b"ts"
    states = {"list": far_away(given), "dict": entry, "slots": b"N" + entry + b"\x86"}
    torch_zip.entries.append(word("a") + targets[target] + states[state] + b"b")
    with pytest.raises(CheckpointError, match="changes the inside"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin"))
    assert np.dtype(np.float32) == np.float32(1).dtype


def doubled(times: int) -> bytes:
    """A tuple of the same tuple twice, so many times over: small, and endless to look at."""
    return b")" + b"".join(b"q" + bytes([place]) + b"h" + bytes([place]) + b"\x86" for place in range(times))


@pytest.mark.parametrize(
    "key",
    [
        doubled(60),  # its hash would take 2**60 steps
        b")" + b"\x85" * 200_000,  # its hash would take all of the stack
        b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x1f",  # all multiples of this have one hash
        b"K\x01", b"N", b"\x88", b"G" + bytes(8), b")", b"ctorch\nFloatStorage\n", storage(b"K\x0c"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["item", "items", "plain dict"])
def test_names_that_are_no_text_are_refused_before_they_are_looked_up(
    tmp_path: Path, torch_zip: Any, key: bytes, way: str
) -> None:
    torch_zip.storage("0", SQUARE.tobytes(), "FloatStorage", 12)
    head = {"item": HEAD[:-1], "items": HEAD, "plain dict": b"\x80\x02}("}[way]
    pickled = head + key + b"N" + (b"s." if way == "item" else b"u.")
    with pytest.raises(CheckpointError, match="a name in it is no text"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin", pickled))


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x02ccollections\nOrderedDict\n](" + word("a") + b"N\x86e\x85R.",  # made from pairs
        b"\x80\x02ccollections\nOrderedDict\n" + doubled(60) + b"\x85\x85R.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.",  # a frame as long as everything
        b"\x80\x02" + b"]q\x00" + b"h\x00" * 100_000 + b".",
        b"\x80\x02](" + b"h\x00" * 10 + b"e.",
        b"\x80\x02]" * 10 + b"\x80\x02" + b"a" * 9 + b".",
        b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b".",  # a list in a list in a list
        b"\x80\x02" + word("a" * 1_000_000) + b"q\x00" + b"(" + b"h\x00" * 1_000_000 + b"l.",
        b"\x80\x02]" + b"".join(b"r" + struct.pack("<I", place) for place in range(0, 1 << 20, 1 << 10)) + b".",
        b"\x80\x02(R.", b"\x80\x02Q.", b"\x80\x02b.", b"\x80\x02s.", b"\x80\x02u.", b"\x80\x02(\x85.",
        b"\x80\x02q\x00.",
    ],
)  # fmt: skip
def test_pickles_that_are_built_to_take_time_memory_or_the_stack(
    tmp_path: Path, torch_zip: Any, pickled: bytes
) -> None:
    with pytest.raises(CheckpointError, match=r"a\.bin cannot be used"):
        TorchTensors(torch_zip.save(tmp_path / "a.bin", pickled))


def test_what_a_file_says_of_itself_is_told_briefly_and_means_nothing_to_a_terminal(
    tmp_path: Path, torch_zip: Any
) -> None:
    pickled = b"\x80\x02cevil\x1b]0;title\x07\n" + b"x" * 100_000 + b"\n."
    with pytest.raises(CheckpointError, match="it asks for evil") as caught:
        TorchTensors(torch_zip.save(tmp_path / "a.bin", pickled))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


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


def test_a_wrong_checksum_of_the_list_itself(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", SQUARE)
    path = torch_zip.save(tmp_path / "a.bin")
    content = path.read_bytes()
    assert content.count(b"FloatStorage") == 1
    path.write_bytes(content.replace(b"FloatStorage", b"ShortStorage"))
    with pytest.raises(CheckpointError, match=r"data\.pkl is damaged"):
        TorchTensors(path)


def test_two_parts_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive/data.pkl", b"\x80\x02cos\nsystem\n.")
    with pytest.raises(CheckpointError, match="overlap"):
        TorchTensors(path)


@pytest.mark.parametrize(("size", "compressed"), [(1 << 60, 1 << 60), (48, 1 << 60), (1 << 60, 48), (2**64 - 1, 0)])
def test_sizes_of_64_bits_that_lie(tmp_path: Path, torch_zip: Any, size: int, compressed: int) -> None:
    torch_zip.add("a", SQUARE)
    path = torch_zip.save(tmp_path / "a.bin")
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    name_length = struct.unpack_from("<H", content, entry + 28)[0]
    extra = struct.pack("<HHQQ", 1, 16, size, compressed)
    struct.pack_into("<II", content, entry + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", content, entry + 30, len(extra))
    content[entry + 46 + name_length : entry + 46 + name_length] = extra
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<I", content, end + 12, struct.unpack_from("<I", content, end + 12)[0] + len(extra))
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        TorchTensors(path)


@pytest.mark.parametrize("long", [False, True])
def test_a_directory_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, torch_zip: Any, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    torch_zip.add("a", SQUARE)
    path = torch_zip.save(tmp_path / "a.bin")
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<I", content, end + 12, 0xFFFFFFFF if long else 1 << 30)
    if long:
        content[end:end] = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 9, 9, 1 << 40, 0)
    path.write_bytes(content)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(CheckpointError, match="too many parts"):
        TorchTensors(path)


def test_the_directory_of_a_zip_with_sizes_of_64_bits_is_read(tmp_path: Path, torch_zip: Any) -> None:
    torch_zip.add("a", SQUARE)
    path = tmp_path / "a.bin"
    torch_zip.save(tmp_path / "plain.bin")
    with zipfile.ZipFile(tmp_path / "plain.bin") as plain, zipfile.ZipFile(path, "w") as archive:
        for entry in plain.infolist():
            with archive.open(entry.filename, "w", force_zip64=True) as member:
                member.write(plain.read(entry))
    np.testing.assert_array_equal(TorchTensors(path)["a"], SQUARE)


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
