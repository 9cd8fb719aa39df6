"""Disks on USB: only those that nothing is mounted from, with what is on them."""

import pytest

from appliance.device.disks import disks

MOUNTS = "24 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n31 24 0:27 / /run rw - tmpfs tmpfs rw\n"


@pytest.fixture
def plugged(tmp_path, show):
    """Put a disk on a bus, with its partitions' file systems as udev noted them."""
    show("proc/self/mountinfo", MOUNTS)

    def plugged(name="sda", *, bus="usb2/2-1", size=1 << 31, ro="0", parts=("ext4",), first=0, label=""):
        real = f"sys/devices/pci0/{bus}/host0/block/{name}"
        show(f"{real}/size", f"{size}\n")
        show(f"{real}/ro", f"{ro}\n")
        show(f"{real}/dev", f"8:{first}\n")
        show(f"{real}/device/vendor", "Samsung \n")
        show(f"{real}/device/model", "PSSD T7         \n")
        for count, kind in enumerate(parts, 1):
            show(f"{real}/{name}{count}/partition", f"{count}\n")
            show(f"{real}/{name}{count}/dev", f"8:{first + count}\n")
            if kind:
                show(f"run/udev/data/b8:{first + count}", f"I:12\nE:ID_FS_TYPE={kind}\nE:ID_FS_LABEL={label}\n")
        (tmp_path / "sys/block").mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/block" / name).symlink_to(tmp_path / real)

    return plugged


def test_a_disk_with_a_file_system_that_can_be_kept(tmp_path, plugged):
    plugged(label="Holiday")
    (found,) = disks(tmp_path)
    assert (found.name, found.model, found.bytes) == ("sda", "Samsung PSSD T7", 1 << 40)
    assert (found.file_system, found.label, found.can_be_kept) == ("ext4", "Holiday", True)


@pytest.mark.parametrize("parts", [("exfat",), ("ext4", "vfat"), ("",), ()])
def test_a_disk_that_has_to_be_erased(tmp_path, plugged, parts):
    plugged(parts=parts)
    (found,) = disks(tmp_path)
    assert not found.can_be_kept


def test_what_is_in_use_too_small_read_only_or_built_in_is_not_offered(tmp_path, plugged, show):
    plugged("sda", first=0)
    plugged("sdb", first=16, size=1 << 20)
    plugged("sdc", first=32, ro="1")
    plugged("sdd", first=48, bus="ata1")
    plugged("sde", first=64)
    show("proc/self/mountinfo", MOUNTS + "40 24 8:1 / /media/disk rw - ext4 /dev/sda1 rw\n")
    assert [found.name for found in disks(tmp_path)] == ["sde"]


def test_a_disk_that_is_swapped_to_is_in_use(tmp_path, plugged, show):
    plugged()
    show("sys/class/block/sda1/dev", "8:1\n")
    show("proc/swaps", "Filename Type Size Used Priority\n/dev/sda1 partition 1024 0 -2\n")
    assert disks(tmp_path) == []


def test_where_the_library_lives_on_a_disk_no_other_is_offered(tmp_path, plugged, show):
    plugged()
    show("proc/self/mountinfo", MOUNTS + "40 24 8:17 / /media/shoebox rw - ext4 /dev/sdb1 rw\n")
    assert disks(tmp_path) == []


def test_a_machine_without_disks_has_none(tmp_path):
    assert disks(tmp_path) == []
