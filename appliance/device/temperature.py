"""How warm the processor is."""

from collections.abc import Iterator
from pathlib import Path

from appliance.device.reading import matching, number, words

# A Raspberry Pi calls its only zone cpu-thermal. A board may also measure its Wi-Fi, its battery or its case.
_ZONES = ("cpu", "soc", "pkg")
_CHIPS = {"coretemp", "k10temp", "zenpower", "cpu_thermal"}
_POSSIBLE = range(-60_000, 200_000)  # thousandths of a degree; anything else is a sensor that is not there


def temperature(root: Path = Path("/")) -> float | None:
    """Return the processor's temperature in °C, the hottest of several; None where no sensor tells.

    Where none says that it is the processor's, the hottest zone of all counts.
    """
    zones = {zone: " ".join(words(zone / "type")).lower() for zone in matching(root, "sys/class/thermal/thermal_zone*")}
    own = [zone / "temp" for zone, kind in zones.items() if any(name in kind for name in _ZONES)]
    for sensors in (own, list(_chips(root)), [zone / "temp" for zone in zones]):
        told = [value for value in map(number, sensors) if value is not None and value in _POSSIBLE]
        if told:
            return max(told) / 1000
    return None


def _chips(root: Path) -> Iterator[Path]:
    for chip in matching(root, "sys/class/hwmon/hwmon*"):
        if _CHIPS & set(words(chip / "name")):
            yield from matching(chip, "temp*_input")
