"""The wall clock, watched: it is set while the box runs, as a Pi has no battery for it, and leases must not notice."""

import time
from collections.abc import Callable

LEAP = 5.0  # seconds; time servers slew what is less


class SteadyClock:
    """Unix seconds that run on steadily until `follow` has told of a leap; any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ahead = clock() - time.monotonic()
        self._following = False

    def now(self) -> float:
        """Return the time, by the clock as it was before a leap that was not followed yet."""
        return time.monotonic() + self._ahead

    def was_set(self) -> bool:
        """Return whether the clock has leapt and nobody has followed it yet."""
        return self._following or abs(self._leap()) > LEAP

    def follow(self, move: Callable[[float], None]) -> None:
        """Have `move` called with the seconds the clock has leapt, where it has; where that raises, it is to come yet.

        While `move` runs, `now` is the new time already.
        """
        leap = self._leap()
        if abs(leap) <= LEAP:
            self._ahead += leap  # or the slewing would add up to one
            return
        self._following = True
        self._ahead += leap
        try:
            move(leap)
        except BaseException:
            self._ahead -= leap
            raise
        finally:
            self._following = False

    def _leap(self) -> float:
        return self._clock() - time.monotonic() - self._ahead
