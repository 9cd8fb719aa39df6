"""How the box is: what its sensors and its disk tell, each as a sentence and, where there is one, the next step.

The page shows it and `doctor` lists it; it looks at nothing that takes long.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.device import clock, memory
from appliance.device.card import card
from appliance.device.profile import profile
from appliance.device.temperature import temperature
from appliance.library import backups, preferences
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work import fit, process, services
from appliance.work.finding import Finding, sound
from appliance.work.loading import REAL

LEAST_FREE = 500_000_000  # bytes; a film from a phone needs as much
LEAST_MEMORY = 200_000_000  # bytes; with less the computer is busy making room


@dataclass(frozen=True, slots=True)
class Patient:
    """The library that is looked over; `loader` is as in `Child`, the board's sensors are read below `root`."""

    db: Connection
    store: Store
    settings: Settings
    loader: str = REAL
    root: Path = Path("/")


def backed_up(patient: Patient) -> Finding:
    about = say("backups")
    wrong = backups.overdue(patient.db, patient.settings.data, now=time.time())
    if wrong is None:
        return sound(about, say("The database has a good backup, or is new."))
    return Finding(about, False, wrong, say("Run `shoebox backup`."))


def room(patient: Patient) -> Finding:
    about = say("free space")
    free = shutil.disk_usage(patient.settings.data).free
    text = say("{free:.1f} GB are free.", free=free / 1e9)
    if free >= LEAST_FREE:
        return sound(about, text)
    return Finding(
        about, False, say("Only {free:.0f} MB are free.", free=free / 1e6), say("Make room on the card or disk.")
    )


def _temperature(patient: Patient) -> Finding:
    about = say("temperature")
    degrees = temperature(patient.root)
    if degrees is None:
        return sound(about, say("This computer does not tell how warm it is."))
    above = preferences.get(patient.db, patient.settings).rest_above
    text = say("The processor is at {degrees:.0f} °C; the box rests above {above} °C.", degrees=degrees, above=above)
    return Finding(about, True, text, say("Give it air, and keep it out of the sun.") if degrees > above else "")


def _power(patient: Patient) -> Finding:
    return services.supply(patient.root)


def _memory(patient: Patient) -> Finding:
    about = say("memory")
    free = memory.available(patient.root)
    if free is None:
        return sound(about, say("How much memory is free cannot be read here."))
    limit = process.memory_limit(patient.settings, patient.root)
    text = say(
        "{free:.0f} MB of memory are free; describing may take {limit:.0f} MB.", free=free / 1e6, limit=limit / 1e6
    )
    step = say("Stop other programs, use a smaller model, or set `workers` to 1.")
    return Finding(about, True, text, step if free < LEAST_MEMORY else "")


def _board(patient: Patient) -> Finding:
    about = say("board")
    board = profile(patient.root)
    chosen = fit.full(preferences.get(patient.db, patient.settings), board)
    text = say(
        "{machine}: describing takes {variant}, {said}.", machine=board.machine, variant=board.variant, said=chosen.said
    )
    if fit.too_small(board):
        return Finding(
            about, True, text, say("It has too little memory for BLIP: the sample describes, or a larger board.")
        )
    return sound(about, text)


def _clock(patient: Patient) -> Finding:
    about = say("clock")
    if clock.synchronised(patient.root):
        return sound(about, say("The clock is set by a time server."))
    step = say(
        "Connect the box to the Internet, or to a router that tells the time. Until then no nightly batch starts."
    )
    return Finding(about, True, say("No time server has set the clock since the box was started."), step)


def _card(patient: Patient) -> Finding:
    about = say("card wear")
    found = card(patient.root)
    if found.worn_out:
        return Finding(
            about, False, say("The memory card is worn out."), say("Make a backup and move to a new card soon.")
        )
    if found.used is not None:
        return sound(about, say("The memory card has used up to {used} % of its life.", used=found.used))
    if found.written is not None:
        return sound(
            about,
            say(
                "The card does not tell how worn it is; {written:.1f} GB were written since start.",
                written=found.written / 1e9,
            ),
        )
    return sound(about, say("There is no memory card that tells how worn it is."))


def vitals(patient: Patient) -> Iterator[Finding]:
    """Yield what each of the checks finds that take no time."""
    for look in (room, backed_up, *BOARD):
        yield look(patient)


BOARD = (_temperature, _power, _memory, _clock, _card, _board)

# What stands around the library, and needs none: some of it asks others, and takes a moment.
AROUND: tuple[Callable[[Settings, Path], Finding], ...] = (
    lambda _, root: services.services(root),
    lambda settings, root: services.system_disk(root, settings.data),
    services.network_name,
    lambda _, root: services.release_in_use(root),
)
