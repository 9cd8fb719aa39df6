"""The clock's state and the household's zone, read from a root of our own."""

from pathlib import Path

import pytest

from appliance.device import clock


def test_synchronised_once_timesyncd_says_so(tmp_path: Path) -> None:
    assert not clock.synchronised(tmp_path)
    flag = tmp_path / "run/systemd/timesync/synchronized"
    flag.parent.mkdir(parents=True)
    flag.touch()
    assert clock.synchronised(tmp_path)


def test_the_kernel_can_be_asked() -> None:
    assert clock.synchronised() in (True, False)


def test_zone_from_the_link(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    (tmp_path / "etc/timezone").write_text("Asia/Kolkata\n")
    assert clock.household_zone(tmp_path).key == "Europe/Berlin"


@pytest.mark.parametrize(
    ("content", "key"), [("Asia/Kolkata\n", "Asia/Kolkata"), ("Nowhere/Land\n", "UTC"), ("", "UTC")]
)
def test_zone_from_the_text(tmp_path: Path, content: str, key: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").write_bytes(b"TZif2")
    (tmp_path / "etc/timezone").write_text(content)
    assert clock.household_zone(tmp_path).key == key


def test_no_zone_at_all_is_utc(tmp_path: Path) -> None:
    assert clock.household_zone(tmp_path).key == "UTC"
