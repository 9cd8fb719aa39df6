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
