"""A worker process whose captioner writes down which picture it is shown, and from when to when.

    python counting.py SETTINGS THREADS [together]

With `together` the lock that keeps a second worker out is left open: that no item is worked on twice at once must not
hang on the lock alone.
"""

import os
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from appliance.settings import Settings
from appliance.work import protocol, worker
from appliance.work.fit import Fit
from appliance.work.schedule import Household

FILE = "calls"
WORK = 0.01  # seconds that a description takes: long enough to be met in the middle of it


@dataclass(frozen=True)
class Call:
    """A picture's number, the process that described it, and from when to when, by the machine's monotonic clock."""

    number: int
    process: int
    began: float
    ended: float


def calls(data: Path) -> list[Call]:
    """Return what was described so far, in the order in which it ended."""
    lines = [line.split() for line in (data / FILE).read_text().splitlines()]
    return [Call(int(line[0]), int(line[1]), float(line[2]), float(line[3])) for line in lines]


def picture(number: int) -> Image.Image:
    """Return a picture that tells its number by its colour."""
    return Image.new("RGB", (32, 32), (number // 250, number % 250, 80))


class Counting:
    """A captioner that says the picture's number."""

    image_size = 16
    model = "counting"
    provider, warnings, batch = "the processor", (), 1

    def __init__(self, data: Path) -> None:
        self._log = os.open(data / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def caption(self, picture: Image.Image, *, prompt: str | None = None) -> str:
        began = time.monotonic()
        high, low, _ = picture.convert("RGB").getpixel((8, 8))
        time.sleep(WORK)
        number = high * 250 + low
        os.write(self._log, f"{number} {os.getpid()} {began} {time.monotonic()}\n".encode())  # one write: never mixed
        return f"picture {number}"


class Models:
    """The counting captioner and no other."""

    def __init__(self, settings: Settings) -> None:
        self._data = settings.data

    def in_use(self) -> str:
        return Counting.model

    def load(self, model: str, fit: Fit) -> Counting:
        return Counting(self._data)

    def refusal(self, model: str) -> str | None:
        return None

    def recogniser(self) -> None:
        return None


def main(arguments: list[str]) -> int:
    if "together" in arguments:
        worker.only_worker = lambda data: nullcontext()
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    household = Household(lambda: ZoneInfo("UTC"), lambda: noon, lambda: True)
    settings = replace(protocol.decode_settings(arguments[0].encode()), workers=int(arguments[1]))
    return worker.run(settings, loader="counting:Models", household=household)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
