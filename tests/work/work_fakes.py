"""Captioners that do what a picture's colour says, named to `Child` and `worker.run` as `work_fakes:…`.

red, purple: described at once. green: held while the file `hold` is in the data folder. orange: hangs. blue: the child
dies. white: the worker dies. yellow: fails with an error of ours. cyan: fails with another. magenta: takes 1 GiB.

The file `starve` in the data folder says where memory runs out: `loading 2 kill` while a model is loaded to run on more
than 2 threads, `purple 0 refuse` on purple pictures, `any 1 abort` on all of them. The sample never starves.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from huey.consumer import Scheduler
from PIL import Image

from appliance import logs
from appliance.caption.captioner import PROCESSOR
from appliance.caption.recognised import Recognised, Word
from appliance.errors import CaptionerError, ModelError, SettingsError
from appliance.records import RECOGNISER
from appliance.settings import Settings
from appliance.work import chores, consumer, protocol, worker
from appliance.work.fit import Fit
from appliance.work.schedule import Household

COLOURS = {
    "red": (255, 0, 0),
    "purple": (128, 0, 128),
    "green": (0, 128, 0),
    "orange": (255, 128, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
}


def colour_of(picture: Image.Image) -> str:
    """Return the name of the colour nearest to that of the picture's middle."""
    middle = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], middle, strict=True)))


def starve(data: Path, model: str, fit: Fit, *what: str) -> None:
    """Run out of memory where `starve` in the data folder says so: killed by the kernel, aborted, or refused it."""
    order = data / "starve"
    if not order.exists() or model == "sample-int8":
        return
    about, most, way = order.read_text().split()
    if about not in what or fit.threads <= int(most):
        return
    match way:
        case "kill":
            told = data.with_name("quiet-root") / "proc" / "vmstat"
            told.write_text(f"oom_kill {int(told.read_text().split()[1]) + 1}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        case "abort":
            os.abort()
    raise MemoryError


class Colours:
    """A captioner that sees colours; what it runs on is in the file `provider` in the data folder: "NAME: WARNING"."""

    image_size = 16
    batch = 1

    def __init__(self, model: str, data: Path, fit: Fit) -> None:
        self.model = model
        said = (data / "provider").read_text() if (data / "provider").exists() else PROCESSOR
        self.provider, _, told = said.partition(": ")
        self.warnings = (told,) if told else ()
        self._data = data
        self._fit = fit

    def caption(self, picture: Image.Image, *, prompt: str | None = None) -> str:
        colour = colour_of(picture)
        starve(self._data, self.model, self._fit, "any", colour)
        match colour:
            case "green":
                (self._data / "held").touch()
                while (self._data / "hold").exists():
                    time.sleep(0.02)
            case "orange":
                time.sleep(3600)
            case "blue":
                os.kill(os.getpid(), signal.SIGKILL)
            case "white":
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(3600)
            case "magenta":
                self._kept = [bytearray(1 << 26) for _ in range(16)]
            case "yellow":
                raise CaptionerError("Yellow cannot be described.", "Use another colour.")
            case "cyan":
                raise ZeroDivisionError("cyan")
        return f"{prompt or 'a'} {colour} picture"

    def caption_many(self, pictures: Sequence[Image.Image], *, prompt: str | None = None) -> list[str]:
        return [self.caption(picture, prompt=prompt) for picture in pictures]


class Recogniser:
    """A recogniser that is sure of red and purple, and fails on black."""

    model = RECOGNISER

    def recognise(self, picture: Image.Image) -> Recognised:
        assert min(picture.size) >= 32, "it was given what a small model looks at"
        if sum(picture.convert("RGB").getpixel((8, 8))) < 40:
            raise CaptionerError("Black cannot be recognised.")
        colour = colour_of(picture)
        known = {"red": Word("rose", "a rose", 0.95, True), "purple": Word("plum", "a plum", 0.75, False)}
        return Recognised((known[colour], Word("colour", "a colour", 0.9, True)) if colour in known else ())


class FakeModels:
    """One model, whose id is what the file `model` in the data folder says."""

    def __init__(self, settings: Settings) -> None:
        self._data = settings.data

    def in_use(self) -> str:
        chosen = self._data / "model"
        return chosen.read_text() if chosen.exists() else "fake"

    def load(self, model: str, fit: Fit) -> Colours:
        with (self._data / "loads").open("a") as log:
            log.write(f"{model} {fit.beams}\n")
        with (self._data / "ways").open("a") as log:
            log.write(f"{model} {fit.threads}{' lean' if fit.lean else ''}\n")
        starve(self._data, model, fit, "loading")
        if model == "heavy":
            time.sleep(3600)
        self.look_for_provider()
        return (Easy if model == "blind" else Colours)(model, self._data, fit)

    def look_for_provider(self) -> None:
        if (self._data / "no-provider").exists():
            raise SettingsError("provider cannot be cuda: it is not there.", "Install it.")

    def refusal(self, model: str) -> str | None:
        known = {"full": None, "blind": "a picture", "green refuser": "a green picture"}
        return known.get(model, "a purple picture")

    def recogniser(self) -> "Recogniser | None":
        """What the file `recogniser` in the data folder says: none where it is missing, one that cannot be loaded."""
        chosen = self._data / "recogniser"
        if not chosen.exists():
            return None
        with (self._data / "loads").open("a") as log:
            log.write("recogniser\n")
        if chosen.read_text() == "damaged":
            raise ModelError("The recogniser is damaged.", "Install Shoebox again.")
        return Recogniser()


class Easy(Colours):
    """A captioner that says the same of every picture."""

    def caption(self, picture: Image.Image, *, prompt: str | None = None) -> str:
        return "a picture"


class EasyModels(FakeModels):
    """One model that never fails."""

    def load(self, model: str, fit: Fit) -> Easy:
        self.look_for_provider()
        return Easy(model, self._data, fit)


models = FakeModels
easy = EasyModels


if __name__ == "__main__":  # a worker process: work_fakes.py SETTINGS NIGHT THREADS ROOT
    settings = replace(protocol.decode_settings(sys.argv[1].encode()), workers=int(sys.argv[3]))
    logs.set_up(settings.log)
    told = settings.data / "now"  # where it is there, the time is what it says, and every minute passes in a second
    leap = settings.data / "leap"  # seconds by which the wall clock was set

    def now() -> datetime:
        if told.exists():
            return datetime.fromisoformat(told.read_text())
        return datetime.fromisoformat(sys.argv[2]) if sys.argv[2] else datetime(2026, 7, 1, 12, tzinfo=UTC)

    def unix_time() -> float:
        return time.time() + (float(leap.read_text()) if leap.exists() else 0)

    def synchronised() -> bool:
        # As the consumer's scheduler asks whether a batch is due.
        while threading.current_thread() is not threading.main_thread() and (settings.data / "hang").exists():
            time.sleep(0.02)
        return not (settings.data / "nobody-set-the-clock").exists()

    consumer.LONGEST_SILENCE = float(os.environ.get("LONGEST_SILENCE", consumer.LONGEST_SILENCE))
    chores.BOARD = chores.GLANCE  # tests do not wait ten seconds for a look at the sensors
    if told.exists():
        chores.MINUTE = consumer.SCHEDULER_LOOKS = Scheduler.periodic_task_seconds = 1
    sys.exit(
        worker.run(
            settings,
            loader="work_fakes:models",
            household=Household(lambda: ZoneInfo("UTC"), now, synchronised),
            unix_time=unix_time,
            root=Path(sys.argv[4]),
        )
    )
