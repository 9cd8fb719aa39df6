"""Files received, kept and swept, on a real disk."""

import errno
import hashlib
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import LibraryError, NotFoundError, StorageError, StorageFullError
from appliance.library import incoming as incoming_module
from appliance.library.incoming import HEAD_BYTES
from appliance.library.store import Store

DAY = date(2024, 5, 3)


def keep(store: Store, content: bytes, name: str) -> str:
    with store.receive() as incoming:
        incoming.write(content)
        return store.keep(incoming, name, DAY)


@contextmanager
def largest_file(limit: int) -> Iterator[None]:
    """Let the kernel refuse longer files (EFBIG)."""
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refusing(number: int) -> Callable[..., object]:
    """Return what a function of `os` is on a disk that answers with this error."""

    def refuse(*_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number))

    return refuse


def test_receiving_counts_and_hashes(store: Store) -> None:
    content = os.urandom(200_000)
    with store.receive() as incoming:
        for start in range(0, len(content), 7_000):
            incoming.write(content[start : start + 7_000])
        incoming.close()
        incoming.close()
        assert incoming.bytes == len(content)
        assert incoming.sha256 == hashlib.sha256(content).hexdigest()
        assert incoming.head == content[:HEAD_BYTES]
        assert incoming.path.read_bytes() == content
        assert incoming.path.suffix == ".part"
    assert not incoming.path.exists()


def test_kept_file_is_where_it_says(store: Store, data: Path) -> None:
    assert keep(store, b"beach", "beach.jpg") == "2024/05/beach.jpg"
    assert (data / "originals/2024/05/beach.jpg").read_bytes() == b"beach"
    assert store.original("2024/05/beach.jpg").read_bytes() == b"beach"
    assert list((data / "incoming").iterdir()) == []


def test_same_name_gets_a_number_and_nothing_is_overwritten(store: Store) -> None:
    paths = [keep(store, str(number).encode(), "beach.jpg") for number in range(3)]
    assert paths == ["2024/05/beach.jpg", "2024/05/beach-2.jpg", "2024/05/beach-3.jpg"]
    assert [store.original(path).read_bytes() for path in paths] == [b"0", b"1", b"2"]


def test_hundreds_of_one_name_find_room(store: Store) -> None:
    paths = {keep(store, str(number).encode(), "image.jpg") for number in range(101)}
    assert len(paths) == 101
    assert f"2024/05/image-{hashlib.sha256(b'100').hexdigest()[:16]}.jpg" in paths
    assert keep(store, b"100", "image.jpg") not in paths  # even where its own hash is taken


def test_names_from_outside_cannot_leave_the_originals(store: Store, data: Path) -> None:
    for name in ("../../../escape.jpg", "/etc/passwd", "a\0b", "x" * 300 + ".jpg", "..", ""):
        path = keep(store, name.encode(), name)
        assert store.original(path).resolve().is_relative_to(data / "originals" / "2024" / "05")


@pytest.mark.parametrize("path", ["../library.db", "/etc/passwd", "2024/../../x", "", "a\0b"])
def test_paths_that_lead_out_are_refused(store: Store, path: str) -> None:
    with pytest.raises(NotFoundError):
        store.original(path)


def test_derived_folder_follows_the_hash(store: Store, data: Path) -> None:
    sha256 = "ab" * 32
    assert store.derived(sha256) == data / "derived" / "ab" / sha256
    for wrong in ("", "ab", "../" * 21 + "a", "z" * 64):
        with pytest.raises(NotFoundError):
            store.derived(wrong)


def test_order_of_writing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are on the disk before the name is, and the name and its folders before `keep` returns."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor: int) -> None:
        name = _name(descriptor)
        steps.append("fsync file" if name.endswith(".part") else f"fsync {name}")
        fsync(descriptor)

    def record_replace(source: Path, target: Path) -> None:
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    keep(store, b"1", "a.jpg")
    assert steps == ["fsync file", "fsync 2024", "fsync originals", "fsync data", "rename", "fsync 05"]
    steps.clear()
    keep(store, b"2", "b.jpg")
    assert steps == ["fsync file", "rename", "fsync 05"]


def _name(descriptor: int) -> str:
    """Return the name of an open file or folder."""
    return Path(os.readlink(f"/proc/self/fd/{descriptor}")).name


def test_preparing_makes_folders_durable(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(_name(descriptor)), fsync(descriptor)))
    Store(data / "new").prepare()
    assert synced == ["data", "new", "new", "new"]


def test_data_folder_that_cannot_be_used_is_told(data: Path) -> None:
    (data / "file").write_text("in the way")
    with pytest.raises(LibraryError, match="cannot be used"):
        Store(data / "file" / "inside").prepare()


def test_file_too_large_for_the_disk(store: Store, data: Path) -> None:
    with store.receive() as incoming:
        incoming.write(b"x" * 90_000)
        with largest_file(100_000), pytest.raises(StorageFullError, match="larger than"):
            incoming.write(b"x" * 30_000)
        assert list((data / "incoming").iterdir()) == []
        with pytest.raises(ValueError, match="after close"):
            incoming.write(b"more")
    assert keep(store, b"x" * 200_000, "later.jpg")


def test_full_disk_while_writing(store: Store, data: Path) -> None:
    with store.receive() as incoming:
        full = os.open("/dev/full", os.O_WRONLY)  # the kernel answers ENOSPC to each write
        os.dup2(full, incoming._file)
        os.close(full)
        with pytest.raises(StorageFullError, match="full"):
            incoming.write(b"x")
        assert list((data / "incoming").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("name", ["fsync", "mkdir", "open", "replace"])
def test_full_disk_at_any_later_step(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    with store.receive() as incoming, monkeypatch.context() as patch:
        incoming.write(b"beach")
        patch.setattr(os, name, refusing(number))
        with pytest.raises(StorageFullError, match="Make room"):
            store.keep(incoming, "beach.jpg", DAY)
    assert [path for path in data.rglob("*") if path.is_file()] == []
    assert keep(store, b"beach", "beach.jpg") == "2024/05/beach.jpg"


def test_full_disk_at_the_first_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", refusing(errno.ENOSPC))
    with pytest.raises(StorageFullError, match="full"):
        store.receive()


def test_other_errors_are_not_taken_for_a_full_disk(store: Store, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.receive() as incoming, monkeypatch.context() as patch:
        patch.setattr(os, "replace", refusing(errno.EIO))
        with pytest.raises(StorageError, match="Input/output") as raised:
            store.keep(incoming, "beach.jpg", DAY)
    assert not isinstance(raised.value, StorageFullError)
    assert [path for path in data.rglob("*") if path.is_file()] == []


def test_sweep_removes_only_what_is_old(store: Store, data: Path) -> None:
    old, young = data / "incoming/old.part", data / "incoming/young.part"
    for path in (old, young):
        path.write_bytes(b"cut off")
    os.utime(old, (1, 1))
    assert store.sweep(3600) == 1
    assert not old.exists()
    assert store.sweep(0) == 1
    assert store.sweep(0) == 0


def test_removing(store: Store) -> None:
    path = keep(store, b"beach", "beach.jpg")
    sha256 = hashlib.sha256(b"beach").hexdigest()
    store.derived(sha256).mkdir(parents=True)
    for _ in range(2):
        store.remove(path)
        store.remove_derived(sha256)
    assert not store.original(path).exists()
    assert not store.derived(sha256).exists()
    assert list(store.originals()) == []


def test_folder_removed_by_hand_is_made_again(store: Store, data: Path) -> None:
    keep(store, b"a", "a.jpg")
    store.original("2024/05/a.jpg").unlink()
    (data / "originals/2024/05").rmdir()
    assert keep(store, b"b", "b.jpg") == "2024/05/b.jpg"


def test_a_file_is_not_closed_under_a_write_that_still_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    incoming = store.receive()
    real, began, go_on = os.write, threading.Event(), threading.Event()
    open_while_written: list[bool] = []

    def slow(descriptor: int, data: memoryview) -> int:
        began.set()
        go_on.wait(20)
        open_while_written.append(Path(f"/proc/self/fd/{descriptor}").exists())
        return real(descriptor, data)

    monkeypatch.setattr(incoming_module.os, "write", slow)
    writing = threading.Thread(target=incoming.write, args=(b"a piece",))
    discarding = threading.Thread(target=incoming.discard)  # as where a request is called off in mid-write
    writing.start()
    assert began.wait(20)
    discarding.start()
    discarding.join(0.2)
    go_on.set()
    for thread in (writing, discarding):
        thread.join(20)
    assert open_while_written == [True]
    assert not incoming.path.exists()
    with pytest.raises(ValueError, match="nothing can be written"):
        incoming.write(b"more")
