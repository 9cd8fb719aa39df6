"""Shoebox's services as `systemctl show` tells of them."""

from pathlib import Path

from appliance.device import units
from appliance.work import services

TOLD = """Listen=[::]:80 (Stream)
Id=shoebox-web.socket
LoadState=loaded
ActiveState=active

NRestarts=2
Id=shoebox-web.service
LoadState=loaded
ActiveState=active

NRestarts=0
Id=shoebox-worker.service
LoadState=loaded
ActiveState=failed

Id=shoebox-orders.path
LoadState=not-found
ActiveState=inactive
"""


def test_units_are_read() -> None:
    found = units.parsed(TOLD)
    assert set(found) == set(units.ALWAYS) - {"shoebox-orders.path"}
    assert found["shoebox-web.socket"].port == 80
    assert found["shoebox-web.service"].restarts == 2
    assert not found["shoebox-worker.service"].runs


def test_each_state_has_its_sentence() -> None:
    assert "not installed: shoebox-orders.path" in services.judged(units.parsed(TOLD)).text
    there = TOLD.replace("not-found", "loaded").replace("inactive", "active")
    down = services.judged(units.parsed(there))
    assert (down.verdict, "does not run: shoebox-worker.service" in down.text) == ("WRONG", True)
    again = services.judged(units.parsed(there.replace("failed", "active")))
    assert (again.verdict, "shoebox-web.service 2 times" in again.text) == ("NOTE", True)
    well = services.judged(units.parsed(there.replace("failed", "active").replace("=2", "=0")))
    assert well.verdict == "OK"


def test_a_computer_without_them(tmp_path: Path) -> None:
    assert not units.installed(tmp_path)
    assert "by hand" in services.services(tmp_path).text
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system/shoebox-web.service").touch()
    assert units.installed(tmp_path)
    assert "runs as a service" in services.services(tmp_path).text
