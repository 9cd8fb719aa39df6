"""The box's breaks, with a sensor of our own: when they begin and end, what is said of them, and what is written."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.library import notices, preferences
from appliance.records import Status
from appliance.work.rest import CALM, Rest

Box = Any


class Sensors:
    """The board's sensors below a root of our own, and a clock that is driven."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 0.0
        self._temperature = root / "sys/class/thermal/thermal_zone0/temp"
        self._alarm = root / "sys/class/hwmon/hwmon0/in0_lcrit_alarm"
        for file in (self._temperature, self._alarm):
            file.parent.mkdir(parents=True)
        (self._alarm.parent / "name").write_text("rpi_volt\n")
        self.warm(50)
        self.weak(False)

    def warm(self, degrees: float | None) -> None:
        self._temperature.write_text("" if degrees is None else f"{degrees * 1000:.0f}\n")

    def weak(self, yes: bool) -> None:
        self._alarm.write_text(f"{int(yes)}\n")


@pytest.fixture
def sensors(tmp_path: Path) -> Sensors:
    return Sensors(tmp_path / "root")


@pytest.fixture
def rest(sensors: Sensors) -> Rest:
    return Rest(sensors.root, lambda: sensors.now)


def said(box: Box) -> list[str]:
    return [f"{one.text} {one.next_step}" for one in notices.standing(box.db)]


def test_it_begins_above_one_temperature_and_ends_below_another(box: Box, rest: Rest, sensors: Sensors) -> None:
    states = []
    for degrees in (79.0, 80.0, 80.1, 77.0, 75.0, 74.9, 80.0, 76.0, 90.0):
        sensors.warm(degrees)
        rest.look(box.db, box.settings)
        states.append(rest.resting)
        assert bool(said(box)) == rest.resting
    assert states == [False, False, True, True, True, False, False, False, True]


def test_the_page_says_how_warm_it_got_and_when_it_goes_on(box: Box, rest: Rest, sensors: Sensors) -> None:
    sensors.warm(82.4)
    rest.look(box.db, box.settings)
    (sentence,) = said(box)
    assert sentence.startswith("The box got too warm (82 °C) and takes a break. It goes on by itself below 75 °C.")


def test_the_settings_rule_and_count_at_once(box: Box, rest: Rest, sensors: Sensors) -> None:
    sensors.warm(62)
    rest.look(box.db, box.settings)
    assert not rest.resting
    preferences.set(box.db, "rest_above", 60)
    preferences.set(box.db, "rest_below", 55)
    rest.look(box.db, preferences.get(box.db, box.settings))
    assert rest.resting
    preferences.set(box.db, "rest_below", 59)
    preferences.set(box.db, "rest_above", 70)
    rest.look(box.db, preferences.get(box.db, box.settings))
    assert rest.resting  # it is not yet cool enough
    assert "below 59 °C" in said(box)[0]
    preferences.set(box.db, "rest_below", 65)
    rest.look(box.db, preferences.get(box.db, box.settings))
    assert not rest.resting


def test_a_sensor_that_falls_silent_ends_the_break(box: Box, rest: Rest, sensors: Sensors) -> None:
    sensors.warm(90)
    rest.look(box.db, box.settings)
    sensors.warm(None)
    rest.look(box.db, box.settings)
    assert not rest.resting
    assert said(box) == []


def test_what_an_earlier_worker_said_is_taken_down(box: Box, rest: Rest, sensors: Sensors) -> None:
    sensors.warm(90)
    sensors.weak(True)
    Rest(sensors.root).look(box.db, box.settings)
    assert len(said(box)) == 2
    sensors.warm(60)
    sensors.weak(False)
    rest.look(box.db, box.settings)
    assert said(box) == []


def test_too_little_power_is_said_until_it_has_not_been_seen_for_a_while(
    box: Box, rest: Rest, sensors: Sensors
) -> None:
    sensors.weak(True)
    rest.look(box.db, box.settings)
    (sentence,) = said(box)
    assert "too little power" in sentence
    assert "power supply" in sentence
    assert not rest.resting
    sensors.weak(False)
    for now, stands in ((CALM - 1, True), (CALM, False), (CALM + 1, False)):
        sensors.now = now
        rest.look(box.db, box.settings)
        assert bool(said(box)) is stands


@pytest.mark.parametrize(("degrees", "weak"), [(50.0, False), (90.0, True)])
def test_looking_again_writes_nothing(box: Box, rest: Rest, sensors: Sensors, degrees: float, weak: bool) -> None:
    sensors.weak(weak)
    sensors.warm(degrees)
    rest.look(box.db, box.settings)
    written = box.db.total_changes
    for more in range(5):
        sensors.warm(degrees + more)  # a break that goes on at another temperature is no news
        rest.look(box.db, box.settings)
    assert box.db.total_changes == written


def test_a_worker_that_is_too_warm_finishes_what_it_does_begins_nothing_and_goes_on_by_itself(
    box: Box, sensors: Sensors, until: Callable[..., None]
) -> None:
    (box.settings.data / "hold").touch()
    sensors.warm(85)
    first, second = box.upload("green"), box.upload("red")
    box.start(replace(box.settings, processing_timeout=600), root=sensors.root)
    until(lambda: said(box), "the first break")
    time.sleep(1.5)  # a look or two for work that is due
    assert claims(box) == 0

    sensors.warm(50)
    until((box.settings.data / "held").exists, "the description to begin")
    assert said(box) == []
    sensors.warm(85)
    until(lambda: said(box), "the second break")
    third = box.upload("purple")
    before = claims(box)
    (box.settings.data / "hold").unlink()
    box.wait(first, Status.COMPLETED)
    time.sleep(1.5)
    assert claims(box) == before
    assert [box.item(item).status for item in (second, third)] == [Status.PENDING, Status.PENDING]

    sensors.warm(70)
    for item in (second, third):
        box.wait(item, Status.COMPLETED)
    assert said(box) == []


def claims(box: Box) -> int:
    """How often anything was begun."""
    return int(box.db.execute("SELECT coalesce(sum(attempts), 0) FROM jobs").fetchone()[0])
