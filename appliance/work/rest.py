"""The box's breaks: above a set temperature nothing more is begun, below another it goes on. Too little power is told.

Nothing of this is kept: after a restart the sensors are asked anew. While all is well it writes nothing.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from appliance.device import power
from appliance.device.temperature import temperature
from appliance.library import notices
from appliance.library.database import Connection
from appliance.sentences import say
from appliance.settings import Settings

WARM, WEAK = "warm", "weak"  # the notices' names
POWER_STEP = say("Use the power supply and the cable that were made for it, with no hub between them.")
CALM = 600.0  # seconds without under-voltage until its notice goes: it comes and goes with the load

log = logging.getLogger(__name__)


class Rest:
    """Whether the box takes a break, for all threads to see; one of them looks."""

    def __init__(self, root: Path = Path("/"), clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._began_at: float | None = None  # °C
        self._weak_at: float | None = None  # by the clock

    @property
    def resting(self) -> bool:
        """Whether nothing is to be begun."""
        return self._began_at is not None

    def look(self, db: Connection, settings: Settings) -> None:
        """Ask the sensors, begin or end a break by `settings`, and put up or take down what the page says of it."""
        self._look_at_temperature(db, settings)
        self._look_at_power(db)

    def _look_at_temperature(self, db: Connection, settings: Settings) -> None:
        above, below = settings.rest_above, min(settings.rest_below, settings.rest_above)
        degrees = temperature(self._root)
        if degrees is None or degrees < below:
            if self.resting:
                log.info("the box is cool again (%s °C): work goes on", degrees)
            self._began_at = None
        elif degrees > above and not self.resting:
            log.warning("the box is warm (%.0f °C): nothing is begun until it is below %d °C", degrees, below)
            self._began_at = degrees
        if self._began_at is None:
            notices.take_down(db, WARM)
        else:
            text = say("The box got too warm ({began_at:.0f} °C) and takes a break.", began_at=self._began_at)
            notices.put_up(
                db,
                WARM,
                text,
                say("It goes on by itself below {below} °C. Give it air, and keep it out of the sun.", below=below),
            )

    def _look_at_power(self, db: Connection) -> None:
        now = self._clock()
        if power.under_voltage(self._root):
            self._weak_at = now
        if self._weak_at is None or now - self._weak_at >= CALM:
            notices.take_down(db, WEAK)
        else:
            notices.put_up(
                db, WEAK, say("The box gets too little power, which slows it down and can damage files."), POWER_STEP
            )
