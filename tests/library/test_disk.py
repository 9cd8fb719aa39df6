"""Whether a data folder can take anything in, told without writing; real full and failing disks are in tests/faults."""

import errno
from pathlib import Path

import pytest

from appliance.errors import StorageError, StorageFullError
from appliance.library import disk


def test_a_sound_folder_passes_and_nothing_is_written(data: Path) -> None:
    disk.check(data)
    disk.check(data, disk.identity(data))
    assert list(data.iterdir()) == []


def test_a_folder_that_is_gone_is_told(data: Path) -> None:
    known = disk.identity(data)
    data.rmdir()
    for identity in (None, known):
        with pytest.raises(StorageError, match="is gone"):
            disk.check(data, identity)


def test_another_folder_in_its_place_is_told(data: Path) -> None:
    known = disk.identity(data)
    data.rename(data.with_name("away"))
    data.mkdir()
    with pytest.raises(StorageError, match="not the one"):
        disk.check(data, known)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EFBIG, StorageFullError),
        (errno.EROFS, StorageError),
        (errno.EIO, StorageError),
        (errno.ENOENT, StorageError),
    ],
)
def test_what_the_disk_refuses_is_told_with_a_next_step(number: int, kind: type[StorageError]) -> None:
    with pytest.raises(StorageError) as raised, disk.explained():
        raise OSError(number, "refused")
    assert type(raised.value) is kind
    assert raised.value.next_step


def test_a_mistake_of_ours_is_not_blamed_on_the_disk() -> None:
    with pytest.raises(OSError, match="too many"), disk.explained():
        raise OSError(errno.EMFILE, "too many files")
