"""An errand at work: `python -m appliance.work.errand_run KIND DATA MODEL LOADER`, started by `errand.start` alone."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from appliance import settings as settings_module
from appliance.device import memory, running
from appliance.errors import ModelError, SettingsError, ShoeboxError, TooLittleMemoryError
from appliance.library import descriptions, items, opening, preferences
from appliance.library.store import Store
from appliance.modelstore import installed
from appliance.modelstore.need import memory_needed
from appliance.records import Item
from appliance.sentences import say
from appliance.settings import Settings
from appliance.work import errand, fit, process
from appliance.work.child import Child
from appliance.work.errand import Errand, Pair


class Notes:
    """The errand's record, written down anew with each change."""

    def __init__(self, models: Path, begun: Errand) -> None:
        self._models = models
        self.now = begun

    def put(self, **changes: object) -> None:
        """Change the record."""
        self.now = msgspec.structs.replace(self.now, **changes)
        errand.write(self._models, self.now)


def verify(settings: Settings, notes: Notes) -> None:
    """Check the model's files, and what it says of the test photos."""
    from appliance.modelstore import verify as checking

    folder = installed.folder(settings.data / "models", notes.now.model)
    checking.verify_files(folder)
    answers = checking.recorded(folder)
    if answers is None:
        notes.put(
            good=True, verdict=say("Its files are whole. What its original says of the test photos is not known.")
        )
        return
    notes.put(total=len(answers))
    found = checking.compare(folder, answers, lambda _, done, __: notes.put(done=done))
    alike = say(
        "Its files are whole. It describes {pictures} test photos as the original does.", pictures=found.pictures
    )
    unlike = say(
        "Its files are whole. It describes {pictures} test photos otherwise than the original: install it again.",
        pictures=found.pictures,
    )
    notes.put(good=found.good, verdict=alike if found.good else unlike)


def compare(settings: Settings, notes: Notes, loader: str) -> None:
    """Let the model describe photos of the library, and put that beside what is written of them."""
    model = installed.find(settings.data / "models", notes.now.model)
    free, need = memory.available(), memory_needed(model)
    if free is not None and free < need:
        raise TooLittleMemoryError(
            "Trying {name} takes {need:.1f} GB of memory, and {free:.1f} GB are free.",
            "Try it while nothing is being described.",
            name=model.name,
            need=need / 1e9,
            free=free / 1e9,
        )
    with opening.visited(settings) as db:
        settings = preferences.get(db, settings)
        chosen = items.some_described(db, errand.PHOTOS)
        written = descriptions.current_for(db, [item.id for item in chosen])
    found = [item for item in chosen if item.id in written]
    notes.put(total=len(found))
    store, pairs = Store(settings.data), []
    with Child(replace(settings, recognise=False), loader=loader) as child:
        way = replace(fit.full(settings, child.board), model=model.id)
        for item in found:
            before = written[item.id]
            pair = Pair(item.id, item.name, before.text, before.model, before.milliseconds)
            pairs.append(_described(child, store, item, way, pair))
            notes.put(done=len(pairs), pairs=tuple(pairs))


def _described(child: Child, store: Store, item: Item, way: fit.Fit, pair: Pair) -> Pair:
    try:
        said = child.describe(store.original(item.path), item.kind, None, fit=way)
    except (ModelError, SettingsError, TooLittleMemoryError):  # every photo would fare alike
        raise
    except ShoeboxError as error:
        return msgspec.structs.replace(pair, error=str(error))
    return msgspec.structs.replace(pair, after=said.text, milliseconds=round(said.seconds * 1000))


def main(arguments: list[str]) -> int:
    """Do the errand; what went wrong is told in its record."""
    kind, data, model, loader = arguments
    settings = settings_module.load(overrides={"data": data})
    models = settings.data / "models"
    process.stand_back()
    with errand.alone(models, wait=True):
        found = errand.read(models)
        if found is None or not running.runs(found.pid, found.mark) or (found.kind, found.model) != (kind, model):
            return 1  # whoever began it could not write it down
        notes = Notes(models, found)
        try:
            if kind == "verify":
                verify(settings, notes)
            else:
                compare(settings, notes, loader)
        except ShoeboxError as error:
            notes.put(error=str(error))
        notes.put(finished=time.time())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
