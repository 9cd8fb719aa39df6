"""Whether the board gets enough power, and whether it slows itself down: a Raspberry Pi tells both."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from appliance.device.reading import integer, matching, number, words

# Bits of the firmware's answer; what has been since the board started stands 16 bits higher.
_UNDER_VOLTAGE, _SLOWED = 1 << 0, 1 << 1 | 1 << 2 | 1 << 3  # slowed: for the voltage's, the heat's or its limit's sake
_SINCE_START = 16
_PATIENCE = 2.0  # seconds; the command answers in a few milliseconds


@dataclass(frozen=True, slots=True)
class Power:
    """The state of the board's supply, now and at any time since it started; None where it does not tell."""

    under_voltage: bool | None = None
    under_voltage_before: bool | None = None
    slowed: bool | None = None
    slowed_before: bool | None = None


def power(root: Path = Path("/")) -> Power:
    """Return all that the board tells of its power."""
    alarm, bits = _alarm(root), _bits(root)
    if bits is None:
        return Power(under_voltage=alarm)
    before = bits >> _SINCE_START
    low = bool(bits & _UNDER_VOLTAGE) or bool(alarm)
    # The kernel's driver clears the firmware's memory as it looks: what is now has been, too.
    return Power(low, low or bool(before & _UNDER_VOLTAGE), bool(bits & _SLOWED), bool((bits | before) & _SLOWED))


def under_voltage(root: Path = Path("/")) -> bool | None:
    """Return whether the board gets too little power now; asks the kernel, and a command only where that is mute."""
    alarm = _alarm(root)
    if alarm is not None:
        return alarm
    bits = _bits(root)
    return None if bits is None else bool(bits & _UNDER_VOLTAGE)


def _alarm(root: Path) -> bool | None:
    """Return what the driver `rpi_volt` says, which looks every two seconds."""
    for chip in matching(root, "sys/class/hwmon/hwmon*"):
        if "rpi_volt" in words(chip / "name"):
            value = number(chip / "in0_lcrit_alarm")
            return None if value is None else value != 0
    return None


def _bits(root: Path) -> int | None:
    for word in words(root / "sys/devices/platform/soc/soc:firmware/get_throttled")[:1]:
        return _positive(word)
    return _asked(root / "usr/bin/vcgencmd")


def _asked(command: Path) -> int | None:
    """Return what `vcgencmd get_throttled` answers: `throttled=0x50005`."""
    if not command.is_file():
        return None
    try:
        done = subprocess.run(
            [command, "get_throttled"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):  # not for us, not for this board, or it hangs
        return None
    name, _, value = done.stdout[:100].decode("ascii", errors="replace").strip().partition("=")
    return _positive(value) if name == "throttled" else None


def _positive(word: str) -> int | None:
    value = integer(word, 16)
    return value if value is not None and value >= 0 else None
