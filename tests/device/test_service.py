"""Orders to the box, with a systemctl that writes down what it is told."""

from pathlib import Path

import pytest

from appliance.device import service
from appliance.errors import ServiceError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer run by systemd."""
    (tmp_path / "root/run/systemd/system").mkdir(parents=True)
    tool = tmp_path / "bin" / "systemctl"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\nexit $(cat {tmp_path}/status 2>/dev/null || echo 0)\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    return tmp_path / "root"


def test_what_a_box_can_be_told(root: Path, tmp_path: Path) -> None:
    assert service.orders({"INVOCATION_ID": "x"}, root) == ("restart", "reboot", "shutdown")
    assert service.orders({}, root) == ("reboot", "shutdown"), "systemd has not started it"
    assert service.orders({"INVOCATION_ID": "x"}, tmp_path) == ()


def test_it_is_told(root: Path, tmp_path: Path) -> None:
    for order in ("restart", "reboot", "shutdown"):
        service.give(order)
    assert (tmp_path / "told").read_text().splitlines() == [
        "--no-ask-password --no-block restart shoebox*.service",
        "--no-ask-password --no-block reboot",
        "--no-ask-password --no-block poweroff",
    ]


def test_a_box_that_refuses_says_what_to_type(root: Path, tmp_path: Path) -> None:
    (tmp_path / "status").write_text("1")
    with pytest.raises(ServiceError, match="sudo systemctl restart 'shoebox"):
        service.give("restart")


@pytest.fixture
def box(root: Path) -> Path:
    """Its folder of orders, as on an installed box."""
    folder = root / "run/shoebox/orders"
    folder.mkdir(parents=True)
    return folder


def test_an_installed_box_takes_orders_as_files(root: Path, box: Path, tmp_path: Path) -> None:
    assert service.orders({}, root) == ("restart", "reboot", "shutdown"), "whoever started it"
    (root / "usr/local/lib/shoebox").mkdir(parents=True)
    (root / "usr/local/lib/shoebox/adopt-disk").touch()
    assert service.orders({}, root) == ("restart", "reboot", "shutdown", "adopt-disk")
    service.give("restart", root=root)
    service.give("adopt-disk", "sda keep\n", root=root)
    assert {path.name: path.read_text() for path in box.iterdir()} == {"restart": "", "adopt-disk": "sda keep\n"}
    service.give("adopt-disk", "sdb keep\n", root=root)
    assert (box / "adopt-disk").read_text() == "sdb keep\n", "the last word counts"
    assert not (tmp_path / "told").exists(), "systemctl is not asked"


def test_an_order_that_cannot_be_left_says_what_to_type(root: Path, box: Path) -> None:
    (box / "restart").mkdir()
    (box / "restart" / "full").touch()
    with pytest.raises(ServiceError, match="sudo systemctl"):
        service.give("restart", root=root)
    assert [path.name for path in box.iterdir()] == ["restart"], "nothing half written stays"


def test_what_systemd_itself_could_not_be_asked_for(root: Path, box: Path, tmp_path: Path) -> None:
    assert service.takes("install-model", root)
    assert not service.takes("restart", root)
    assert not service.takes("install-model", tmp_path)


@pytest.mark.parametrize(
    ("note", "said"), [("room\n", "There is too little room on the disk."), ("strange", "That did not work.")]
)
def test_why_an_order_came_to_nothing(root: Path, note: str, said: str) -> None:
    assert service.refusal("adopt-disk", root) == ""
    (root / "run/shoebox/failed").mkdir(parents=True)
    (root / "run/shoebox/failed/adopt-disk").write_text(note)
    assert service.refusal("adopt-disk", root) == said
