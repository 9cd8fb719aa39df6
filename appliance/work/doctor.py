"""Looks the library over: what is wrong with it, what to do about it, and the mending of what can be mended.

Without being asked to mend it changes nothing. It may run beside the page and the worker: what is young enough to be
under way is left alone.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.assets import asset
from appliance.device import memory
from appliance.device.profile import profile
from appliance.errors import NotFoundError, SettingsError, ShoeboxError
from appliance.library import backups, database, items, jobs, opening, preferences, statuses, uploads
from appliance.modelstore import installed
from appliance.modelstore.need import memory_needed
from appliance.records import Item, Kind, Priority, Status, Task
from appliance.sentences import Sentence, counted, joined, say
from appliance.settings import Settings
from appliance.work import services, stepping
from appliance.work.adoption import YOUNG, adopt_orphans
from appliance.work.child import Child
from appliance.work.finding import Finding, sound
from appliance.work.stepping import Stepping
from appliance.work.vitals import AROUND, BOARD, Patient, backed_up, room

STALE = 3600.0  # seconds without a write after which a temporary file is nobody's
NAMED = 5  # that many are named, the rest counted
_REPAIR = say("Run `shoebox doctor --repair`.")
THUMBNAILS = ("small.webp", "large.webp")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at, and what mends it, where anything does."""

    look: Callable[[Patient], Finding]
    mend: Callable[[Patient], object] | None = None


def examine(patient: Patient, *, repair: bool = False, checks: tuple[Check, ...] | None = None) -> Iterator[Finding]:
    """Yield what each check finds, of all by default; with `repair`, what it finds after mending what was wrong."""
    for check in CHECKS if checks is None else checks:
        found = check.look(patient)
        if repair and not found.sound and check.mend is not None:
            check.mend(patient)
            before, found = found, check.look(patient)
            if found.sound:
                text = say("{now} Mended: {before}", now=found.text, before=before.text)
                found = Finding(found.about, True, text)
        yield replace(found, mendable=not found.sound and check.mend is not None)
        if check.look is _database and not found.sound:
            return  # what a damaged database says of the rest is worth nothing


def around(settings: Settings, root: Path = Path("/")) -> Iterator[Finding]:
    """Yield what the checks find that need no library."""
    for look in (*AROUND, services.address):
        yield look(settings, root)


def _beside(look: Callable[[Settings, Path], Finding]) -> Check:
    return Check(lambda patient: look(patient.settings, patient.root))


def _database(patient: Patient) -> Finding:
    about = say("database")
    wrong = database.problems(patient.db)
    if not wrong:
        return sound(about, say("The database is whole."))
    return Finding(
        about,
        False,
        say("The database is damaged: {wrong}.", wrong=wrong[0]),
        say("Run `shoebox doctor --repair` and start Shoebox again; it is then restored from the newest backup."),
    )


def _statuses(patient: Patient) -> Finding:
    about = say("statuses")
    wrong = statuses.disagreements(patient.db)
    if not wrong:
        return sound(about, say("Every item's status is what its jobs say."))
    named = [
        say(
            "item {item} is {status} and should be {expected}",
            item=one.item_id,
            status=one.status,
            expected=one.expected,
        )
        for one in wrong
    ]
    text = counted(
        "{count} status is wrong: {named}.", "{count} statuses are wrong: {named}.", len(wrong), named=_listed(named)
    )
    return Finding(about, False, text, _REPAIR)


def _originals(patient: Patient) -> Finding:
    about = say("originals")
    missing = [item.path for item in items.every(patient.db) if not _is_whole(patient, item)]
    if not missing:
        return sound(about, say("Every original is there in its full size."))
    step = say(
        "Send them again from the phone, which puts them back in their places, or restore a backup of originals/."
    )
    found = counted(
        "{count} original is missing or cut short: {named}.",
        "{count} originals are missing or cut short: {named}.",
        len(missing),
        named=_listed(missing),
    )
    return Finding(about, False, found, step)


def _orphans(patient: Patient) -> Finding:
    about = say("unlisted files")
    found = uploads.unlisted(patient.db, patient.store, older_than_seconds=YOUNG)
    young = uploads.unlisted(patient.db, patient.store, older_than_seconds=0)
    if not young:
        return sound(about, say("No file among the originals is unknown to the library."))
    if not found:  # put there by hand just now, or on their way in
        text = counted(
            "{count} new file among the originals not listed yet: {named}.",
            "{count} new files among the originals not listed yet: {named}.",
            len(young),
            named=_listed(young),
        )
        return Finding(about, True, text, say("Photos and videos are taken in by themselves within two hours."))
    text = counted(
        "{count} file among the originals not listed in the library: {named}.",
        "{count} files among the originals not listed in the library: {named}.",
        len(found),
        named=_listed(found),
    )
    return Finding(
        about, False, text, say("{repair} What is no photo or video stays; move it elsewhere.", repair=_REPAIR)
    )


def _leftovers(patient: Patient) -> Finding:
    about = say("temporary files")
    found = patient.store.leftovers(STALE)
    if not found:
        return sound(about, say("Nothing is left of uploads that were cut off."))
    text = counted(
        "{count} temporary file left over: {named}.",
        "{count} temporary files left over: {named}.",
        len(found),
        named=_listed([one.name for one in found]),
    )
    return Finding(about, False, text, _REPAIR)


def _thumbnails(patient: Patient) -> Finding:
    about = say("thumbnails")
    missing = _without_thumbnails(patient)
    if not missing:
        return sound(about, say("Every picture has its thumbnails, or is waiting for them."))
    named = _listed([say("item {item}", item=item.id) for item in missing])
    text = counted(
        "{count} item lacks its thumbnails: {named}.",
        "{count} items lack their thumbnails: {named}.",
        len(missing),
        named=named,
    )
    return Finding(about, False, text, _REPAIR)


def _make_thumbnails(patient: Patient) -> None:
    for item in _without_thumbnails(patient):
        jobs.enqueue(patient.db, item.id, Task.PREPARE, Priority.NIGHTLY, now=time.time())


def _model(patient: Patient) -> Finding:
    about = say("model")
    folder = patient.settings.data / "models"
    try:
        wrong = installed.problems(folder)
        if wrong:
            return Finding(about, False, wrong[0].error.message, wrong[0].error.next_step)
        model = installed.in_use(folder)
        need = memory_needed(model)
        known = [value for value in (memory.available(patient.root), memory.usable(patient.root)) if value is not None]
        if (free := min(known, default=need)) < need:  # beside a worker that describes, on a small board
            text = say(
                "{model} was not tried: it takes {need:.1f} GB of memory, and {free:.1f} are free.",
                model=model.name,
                need=need / 1e9,
                free=free / 1e9,
            )
            return Finding(about, True, text, say("On the box, type: sudo shoebox doctor"))
        with Child(patient.settings, loader=patient.loader) as child:
            child.describe(asset("web/static/icons/icon-180.png"), Kind.PHOTO, None, fit=_stepping(patient).fit)
            loaded = child.loaded
    except SettingsError as error:
        return Finding(about, False, say("Nothing can be described: {error}", error=error.message), error.next_step)
    except ShoeboxError as error:
        step = error.next_step or say("Install it again: `shoebox models install`.")
        return Finding(about, False, say("The model cannot be used: {error}", error=error.message), step)
    id = loaded.model if loaded else model.id
    if loaded is None or not loaded.provider:
        return sound(about, say("{name} ({id}) describes a picture.", name=model.name, id=id))
    text = say("{name} ({id}) describes a picture on {provider}.", name=model.name, id=id, provider=loaded.provider)
    return Finding(about, True, text, loaded.warning)


def _make_backup(patient: Patient) -> None:
    kept = preferences.get(patient.db, patient.settings).backups_kept
    backups.make(patient.db, patient.settings.data, now=time.time(), kept=kept)


def _fit(patient: Patient) -> Finding:
    about = say("fit")
    trouble = _stepping(patient).trouble()
    if trouble is None:
        return sound(about, say("Describing runs as it was chosen."))
    return Finding(about, False, *trouble)


def _stepping(patient: Patient) -> Stepping:
    return Stepping(patient.db, preferences.get(patient.db, patient.settings), profile(patient.root))


ADDRESS = _beside(services.address)
CHECKS: tuple[Check, ...] = (
    Check(_database, lambda patient: opening.call_for_restart(patient.settings.data)),  # the start looks closely then
    Check(backed_up, _make_backup),
    Check(_statuses, lambda patient: statuses.mend(patient.db)),
    Check(_originals),
    Check(_orphans, lambda patient: adopt_orphans(patient.db, patient.store, patient.settings)),
    Check(_leftovers, lambda patient: patient.store.sweep(STALE, everywhere=True)),
    Check(_thumbnails, _make_thumbnails),
    Check(_model),
    Check(_fit, lambda patient: stepping.forget(patient.db)),
    Check(room),
    *map(Check, BOARD),
    *map(_beside, AROUND),
    ADDRESS,
)
# The page that shows what was found answers, and is kept from every network itself.
FROM_THE_PAGE = tuple(check for check in CHECKS if check is not ADDRESS)


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


def _listed(names: Sequence[str]) -> Sentence:
    more = len(names) - NAMED
    named = joined(names[:NAMED], ", ")
    return say("{names} and {count} more", names=named, count=more) if more > 0 else named
