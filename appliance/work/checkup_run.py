"""The doctor at work for the page: `python -m appliance.work.checkup_run DATA LOADER`, started by `checkup.start`."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance import settings as settings_module
from appliance.errors import ShoeboxError
from appliance.library import database, opening
from appliance.library.store import Store
from appliance.sentences import kept
from appliance.settings import Settings
from appliance.work import checkup, doctor, process
from appliance.work.checkup import Checkup, Found
from appliance.work.finding import Finding
from appliance.work.vitals import Patient

PATIENCE = 5.0  # seconds until whoever started it has written that down


def main(arguments: list[str]) -> int:
    """Look everything over and keep what is found as it is found; what went wrong is told in the record."""
    data, loader = arguments
    settings = settings_module.load(overrides={"data": data})
    begun = _begun(settings.data)
    if begun is None:
        return 1  # another one has begun in the meantime
    process.stand_back()
    found: list[Found] = []
    error = ""
    try:
        for one in _findings(settings, loader, repair=begun.repair):
            found.append(
                Found(str.__str__(one.about), one.verdict.lower(), kept(one.text), kept(one.next_step), one.mendable)
            )
            checkup.write(settings.data, msgspec.structs.replace(begun, findings=tuple(found)))
    except ShoeboxError as told:
        error = kept(str(told))
    checkup.write(
        settings.data, msgspec.structs.replace(begun, findings=tuple(found), finished=time.time(), error=error)
    )
    return 0


def _findings(settings: Settings, loader: str, *, repair: bool) -> Iterator[Finding]:
    with database.explained(), opening.visited(settings) as db:
        patient = Patient(db, Store(settings.data), settings, loader)
        yield from doctor.examine(patient, repair=repair, checks=doctor.FROM_THE_PAGE)


def _begun(data: Path) -> Checkup | None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = checkup.read(data)
        if found is not None and found.pid == os.getpid():
            return found
        time.sleep(0.02)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
