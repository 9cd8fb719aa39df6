"""A clock that is set while the box runs."""

import time

import pytest

from appliance.work.steadyclock import SteadyClock


class Wall:
    """The wall clock, which can be set."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return 1_000_000 + time.monotonic() + self.offset


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.mark.parametrize("leap", [3600.0, -3600.0])
def test_a_leap_is_told_once_and_time_runs_on_until_then(wall: Wall, leap: float) -> None:
    clock = SteadyClock(wall)
    before = clock.now()
    wall.offset = leap
    assert clock.was_set()
    assert 0 <= clock.now() - before < 1000
    told: list[float] = []
    clock.follow(told.append)
    clock.follow(told.append)
    assert [round(seconds) for seconds in told] == [leap]
    assert not clock.was_set()
    assert abs(clock.now() - wall()) < 1000


def test_what_fails_to_follow_is_told_again(wall: Wall) -> None:
    clock = SteadyClock(wall)
    wall.offset = 3600

    def fail(seconds: float) -> None:
        assert clock.was_set()  # nothing is claimed meanwhile
        raise LookupError

    with pytest.raises(LookupError):
        clock.follow(fail)
    assert clock.was_set()
    told: list[float] = []
    clock.follow(told.append)
    assert len(told) == 1


def test_slewing_is_no_leap_however_far_it_goes(wall: Wall) -> None:
    clock = SteadyClock(wall)
    told: list[float] = []
    for second in range(20):
        wall.offset = float(second)
        clock.follow(told.append)
    assert told == []
    assert abs(clock.now() - wall()) < 2
