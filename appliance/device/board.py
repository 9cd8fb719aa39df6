"""The computer that Shoebox runs on, all that can be read of it at once."""

from dataclasses import dataclass
from pathlib import Path

from appliance.device import clock, memory
from appliance.device.card import Card, card
from appliance.device.power import Power, power
from appliance.device.reading import words
from appliance.device.temperature import temperature


@dataclass(frozen=True, slots=True)
class Board:
    """The computer as it is now; None is what it does not tell. Temperature in °C, memory in bytes."""

    model: str | None
    temperature: float | None
    power: Power
    memory_total: int | None
    memory_available: int | None
    clock_synchronised: bool
    card: Card


def board(root: Path = Path("/")) -> Board:
    """Return how the computer is; `root` stands for `/` in tests. It may take two seconds where a command hangs."""
    return Board(
        model=" ".join(words(root / "proc/device-tree/model")) or None,
        temperature=temperature(root),
        power=power(root),
        memory_total=memory.total(root),
        memory_available=memory.available(root),
        clock_synchronised=clock.synchronised(root),
        card=card(root),
    )
