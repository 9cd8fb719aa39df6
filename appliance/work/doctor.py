"""Looks the library over: what is wrong with it, what to do about it, and the mending of what can be mended.

Without being asked to mend it changes nothing. It may run beside the page and the worker: what is young enough to be
under way is left alone.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.assets import asset
from appliance.device import clock, memory
from appliance.device.card import card
from appliance.device.power import power
from appliance.device.profile import profile
from appliance.device.temperature import temperature
from appliance.errors import NotFoundError, SettingsError, ShoeboxError
from appliance.library import backups, database, items, jobs, opening, preferences, statuses, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.modelstore import installed
from appliance.records import Item, Kind, Priority, Status, Task
from appliance.settings import Settings
from appliance.work import fit, process, stepping
from appliance.work.adoption import YOUNG, adopt_orphans
from appliance.work.child import Child
from appliance.work.loading import REAL
from appliance.work.rest import POWER_STEP
from appliance.work.stepping import Stepping

LEAST_FREE = 500_000_000  # bytes; a film from a phone needs as much
LEAST_MEMORY = 200_000_000  # bytes; with less the computer is busy making room
STALE = 3600.0  # seconds without a write after which a temporary file is nobody's
NAMED = 5  # that many are named, the rest counted
_REPAIR = "Run `shoebox doctor --repair`."
THUMBNAILS = ("small.webp", "large.webp")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `sound`, a sentence that says so or what is wrong, and then what to do.

    A sound finding with something to do is a note, on what passes by itself.
    """

    about: str
    sound: bool
    text: str
    next_step: str = ""

    @property
    def verdict(self) -> str:
        """OK, NOTE or WRONG."""
        return "WRONG" if not self.sound else "NOTE" if self.next_step else "OK"


@dataclass(frozen=True, slots=True)
class Patient:
    """The library that is looked over; `loader` is as in `Child`, the board's sensors are read below `root`."""

    db: Connection
    store: Store
    settings: Settings
    loader: str = REAL
    root: Path = Path("/")


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at, and what mends it, where anything does."""

    look: Callable[[Patient], Finding]
    mend: Callable[[Patient], object] | None = None


def examine(patient: Patient, *, repair: bool = False) -> Iterator[Finding]:
    """Yield what each check finds; with `repair`, what it finds after mending what was wrong."""
    for check in CHECKS:
        found = check.look(patient)
        if repair and not found.sound and check.mend is not None:
            check.mend(patient)
            before, found = found, check.look(patient)
            if found.sound:
                found = Finding(found.about, True, f"{found.text} Mended: {before.text}")
        yield found
        if check.look is _database and not found.sound:
            return  # what a damaged database says of the rest is worth nothing


def sound(about: str, text: str) -> Finding:
    """Return a finding of nothing wrong."""
    return Finding(about, True, text)


def _database(patient: Patient) -> Finding:
    about = "database"
    wrong = database.problems(patient.db)
    if not wrong:
        return sound(about, "The database is whole.")
    return Finding(
        about,
        False,
        f"The database is damaged: {wrong[0]}.",
        "Run `shoebox doctor --repair` and start Shoebox again; it is then restored from the newest backup.",
    )


def _backups(patient: Patient) -> Finding:
    about = "backups"
    wrong = backups.overdue(patient.db, patient.settings.data, now=time.time())
    if wrong is None:
        return sound(about, "The database has a good backup, or is new.")
    return Finding(about, False, wrong, "Run `shoebox backup`.")


def _statuses(patient: Patient) -> Finding:
    about = "statuses"
    wrong = statuses.disagreements(patient.db)
    if not wrong:
        return sound(about, "Every item's status is what its jobs say.")
    named = _listed([f"item {one.item_id} is {one.status} and should be {one.expected}" for one in wrong])
    return Finding(about, False, f"{_count(len(wrong), 'status is', 'statuses are')} wrong: {named}.", _REPAIR)


def _originals(patient: Patient) -> Finding:
    about = "originals"
    missing = [item.path for item in items.every(patient.db) if not _is_whole(patient, item)]
    if not missing:
        return sound(about, "Every original is there in its full size.")
    step = "Send them again from the phone, which puts them back in their places, or restore a backup of originals/."
    found = f"{_count(len(missing), 'original is', 'originals are')} missing or cut short: {_listed(missing)}."
    return Finding(about, False, found, step)


def _orphans(patient: Patient) -> Finding:
    about = "unlisted files"
    found = uploads.unlisted(patient.db, patient.store, older_than_seconds=YOUNG)
    young = uploads.unlisted(patient.db, patient.store, older_than_seconds=0)
    if not young:
        return sound(about, "No file among the originals is unknown to the library.")
    if not found:  # put there by hand just now, or on their way in
        text = f"{_count(len(young), 'new file', 'new files')} among the originals not listed yet: {_listed(young)}."
        return Finding(about, True, text, "Photos and videos are taken in by themselves within two hours.")
    text = f"{_count(len(found), 'file', 'files')} among the originals not listed in the library: {_listed(found)}."
    return Finding(about, False, text, f"{_REPAIR} What is no photo or video stays; move it elsewhere.")


def _leftovers(patient: Patient) -> Finding:
    about = "temporary files"
    found = patient.store.leftovers(STALE)
    if not found:
        return sound(about, "Nothing is left of uploads that were cut off.")
    text = (
        f"{_count(len(found), 'temporary file', 'temporary files')} left over: {_listed([one.name for one in found])}."
    )
    return Finding(about, False, text, _REPAIR)


def _thumbnails(patient: Patient) -> Finding:
    about = "thumbnails"
    missing = _without_thumbnails(patient)
    if not missing:
        return sound(about, "Every picture has its thumbnails, or is waiting for them.")
    named = _listed([f"item {item.id}" for item in missing])
    text = f"{_count(len(missing), 'item lacks its', 'items lack their')} thumbnails: {named}."
    return Finding(about, False, text, _REPAIR)


def _make_thumbnails(patient: Patient) -> None:
    for item in _without_thumbnails(patient):
        jobs.enqueue(patient.db, item.id, Task.PREPARE, Priority.NIGHTLY, now=time.time())


def _model(patient: Patient) -> Finding:
    about = "model"
    folder = patient.settings.data / "models"
    try:
        wrong = installed.problems(folder)
        if wrong:
            return Finding(about, False, wrong[0].error.message, wrong[0].error.next_step)
        model = installed.in_use(folder)
        with Child(patient.settings, loader=patient.loader) as child:
            child.describe(asset("web/static/icons/icon-180.png"), Kind.PHOTO, None, fit=_stepping(patient).fit)
            loaded = child.loaded
    except SettingsError as error:
        return Finding(about, False, f"Nothing can be described: {error.message}", error.next_step)
    except ShoeboxError as error:
        step = error.next_step or "Install it again: `shoebox models install`."
        return Finding(about, False, f"The model cannot be used: {error.message}", step)
    text = f"{model.name} ({loaded.model if loaded else model.id}) describes a picture"
    if loaded is None or not loaded.provider:
        return sound(about, f"{text}.")
    return Finding(about, True, f"{text} on {loaded.provider}.", loaded.warning)


def _room(patient: Patient) -> Finding:
    about = "free space"
    free = shutil.disk_usage(patient.settings.data).free
    text = f"{free / 1e9:.1f} GB are free."
    if free >= LEAST_FREE:
        return sound(about, text)
    return Finding(about, False, f"Only {free / 1e6:.0f} MB are free.", "Make room on the card or disk.")


def _make_backup(patient: Patient) -> None:
    kept = preferences.get(patient.db, patient.settings).backups_kept
    backups.make(patient.db, patient.settings.data, now=time.time(), kept=kept)


def _temperature(patient: Patient) -> Finding:
    about = "temperature"
    degrees = temperature(patient.root)
    if degrees is None:
        return sound(about, "This computer does not tell how warm it is.")
    above = preferences.get(patient.db, patient.settings).rest_above
    text = f"The processor is at {degrees:.0f} °C; the box rests above {above} °C."
    return Finding(about, True, text, "Give it air, and keep it out of the sun." if degrees > above else "")


def _power(patient: Patient) -> Finding:
    about = "power"
    found = power(patient.root)
    if found.under_voltage or found.under_voltage_before:
        when = "gets" if found.under_voltage else "got, since it was started,"
        return Finding(about, False, f"The box {when} too little power.", POWER_STEP)
    if found.slowed or found.slowed_before:
        when = "slows" if found.slowed else "slowed"
        return Finding(about, False, f"The box {when} itself down, as it got too warm.", "Give it air, or a fan.")
    if found.under_voltage is None:
        return sound(about, "This computer does not tell whether it gets enough power.")
    return sound(about, "The box gets enough power.")


def _memory(patient: Patient) -> Finding:
    about = "memory"
    free = memory.available(patient.root)
    if free is None:
        return sound(about, "How much memory is free cannot be read here.")
    limit = process.memory_limit(patient.settings, patient.root)
    text = f"{free / 1e6:.0f} MB of memory are free; describing may take {limit / 1e6:.0f} MB."
    step = "Stop other programs, use a smaller model, or set `workers` to 1."
    return Finding(about, True, text, step if free < LEAST_MEMORY else "")


def _board(patient: Patient) -> Finding:
    about = "board"
    board = profile(patient.root)
    chosen = fit.full(preferences.get(patient.db, patient.settings), board)
    text = f"{board.machine}: describing takes {board.variant}, {chosen.said}."
    if fit.too_small(board):
        return Finding(about, True, text, "It has too little memory for BLIP: the sample describes, or a larger board.")
    return sound(about, text)


def _fit(patient: Patient) -> Finding:
    about = "fit"
    trouble = _stepping(patient).trouble()
    if trouble is None:
        return sound(about, "Describing runs as it was chosen.")
    return Finding(about, False, *trouble)


def _stepping(patient: Patient) -> Stepping:
    return Stepping(patient.db, preferences.get(patient.db, patient.settings), profile(patient.root))


def _clock(patient: Patient) -> Finding:
    about = "clock"
    if clock.synchronised(patient.root):
        return sound(about, "The clock is set by a time server.")
    step = "Connect the box to the Internet, or to a router that tells the time. Until then no nightly batch starts."
    return Finding(about, True, "No time server has set the clock since the box was started.", step)


def _card(patient: Patient) -> Finding:
    about = "card wear"
    found = card(patient.root)
    if found.worn_out:
        return Finding(about, False, "The memory card is worn out.", "Make a backup and move to a new card soon.")
    if found.used is not None:
        return sound(about, f"The memory card has used up to {found.used} % of its life.")
    if found.written is not None:
        return sound(
            about, f"The card does not tell how worn it is; {found.written / 1e9:.1f} GB were written since start."
        )
    return sound(about, "There is no memory card that tells how worn it is.")


BOARD = (_temperature, _power, _memory, _clock, _card, _board)
CHECKS: tuple[Check, ...] = (
    Check(_database, lambda patient: opening.call_for_restart(patient.settings.data)),  # the start looks closely then
    Check(_backups, _make_backup),
    Check(_statuses, lambda patient: statuses.mend(patient.db)),
    Check(_originals),
    Check(_orphans, lambda patient: adopt_orphans(patient.db, patient.store, patient.settings)),
    Check(_leftovers, lambda patient: patient.store.sweep(STALE, everywhere=True)),
    Check(_thumbnails, _make_thumbnails),
    Check(_model),
    Check(_fit, lambda patient: stepping.forget(patient.db)),
    Check(_room),
    *map(Check, BOARD),
)


def _without_thumbnails(patient: Patient) -> list[Item]:
    """Return the items whose thumbnails nobody is about to make, though they could be."""
    return [
        item for item in items.every(patient.db) if _lacks_thumbnails(patient, item) and _is_forgotten(patient, item)
    ]


def _lacks_thumbnails(patient: Patient, item: Item) -> bool:
    if item.prepared_at is None:
        return item.status is not Status.FAILED
    return not _all_there(patient.store.derived(item.sha256))


def _is_forgotten(patient: Patient, item: Item) -> bool:
    if any(job.task is Task.PREPARE for job in jobs.open_for(patient.db, item.id)):
        return False
    try:
        now = items.get(patient.db, item.id)  # the worker may have made them since the item was read
    except NotFoundError:
        return False
    return _lacks_thumbnails(patient, now) and _is_whole(patient, now)


def _all_there(folder: Path) -> bool:
    return all((folder / name).is_file() for name in THUMBNAILS)


def _is_whole(patient: Patient, item: Item) -> bool:
    original = patient.store.original(item.path)
    return original.is_file() and original.stat().st_size == item.bytes


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
