"""Opening the library at a start: is it the one that was here, is its database sound, and what to do where not.

One process at a time goes through this, under the lock that migrations are made under. Whoever has the library open
holds a shared lock on it for life, so that a database is put in the place of another only where nobody has it open.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.errors import DamagedLibraryError, LibraryError
from appliance.library import backups, damage, database, disk, marker, recovery
from appliance.library.database import Connection
from appliance.library.marker import Presence
from appliance.library.memory import Memory
from appliance.library.store import Store
from appliance.records import Level
from appliance.sentences import say
from appliance.settings import Settings

DAMAGED = 65  # exit status of a process that ends so that its library can be restored
_DATABASE = "library.db"
_IN_USE = "in-use.lock"
_LET_GO = "library.db.let-go"
_WANTED = "library.db.go-back-to"
_STOPPING = 20.0  # seconds; `systemctl stop shoebox.target` waits for nobody, and an upload may hold up the page
_ADOPT = say(
    "Attach the right disk and start Shoebox again; or, to go on with what is there, run `shoebox library adopt`."
)

log = logging.getLogger(__name__)


@contextmanager
def opened(settings: Settings, zone: ZoneInfo) -> Iterator[Presence]:
    """Hold the library open for a process that serves it: begun, checked, restored and migrated where that is needed.

    Raises LibraryError, before anything is touched, where the folder does not hold the library that was there; also
    where it cannot be used, or is damaged while others have it open. `zone` is the box's, for the times it tells.
    """
    data, memory = settings.data, Memory(settings.state, settings.data)
    _expect(data, memory)
    with disk.usable(data):
        data.mkdir(exist_ok=True)
    with closing(_Use(data)) as use:
        with database.changing(data / _DATABASE):
            _expect(data, memory)
            _make_sound(data, memory, zone, alone=use.alone())
            use.share()
        yield Presence(data)


@contextmanager
def opened_once_there_is_room(
    settings: Settings, zone: ZoneInfo, wait: Callable[[float], object]
) -> Iterator[Presence | None]:
    """Do as `opened` does, and make the folders of the store; on a full disk that is tried each second.

    None where `wait`, which is given the second, returned anything but None.
    """
    with ExitStack() as stack:

        def begin() -> Presence:
            try:
                presence = stack.enter_context(opened(settings, zone))
                Store(settings.data).prepare()
            except BaseException:
                stack.close()
                raise
            return presence

        yield database.once_there_is_room(begin, wait)


@contextmanager
def visited(settings: Settings) -> Iterator[Connection]:
    """Open the library as it is, for a command; raises LibraryError where there is none or not the one that was."""
    data = settings.data
    _expect(data, Memory(settings.state, data))
    if not (data / _DATABASE).exists():
        if (data / marker.FILE).exists():
            raise LibraryError(
                "The database of the library in {data} is missing.",
                "Start Shoebox; it is then restored from the newest backup.",
                data=data,
            )
        raise LibraryError("There is no library in {data}.", "Name its folder with --data DIR.", data=data)
    with ExitStack() as stack:
        if (data / _IN_USE).exists():  # a look makes no file: where nobody ever held one, nobody restores anything
            use = stack.enter_context(closing(_Use(data, os.O_RDONLY)))
            use.share()
        db = stack.enter_context(closing(database.connect(data / _DATABASE)))
        if not database.is_up_to_date(db):
            raise LibraryError(
                "This library was made by an older Shoebox.", "Start Shoebox on it once, which brings it up to date."
            )
        yield db


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder for a command that nobody may be working beside; raises LibraryError where somebody does.

    Waits a while for who is just stopping.
    """
    end = time.monotonic() + _STOPPING
    with database.changing(settings.data / _DATABASE), closing(_Use(settings.data)) as use:
        while not use.alone():
            if time.monotonic() >= end:
                raise LibraryError("Shoebox is running on this library.", "Stop it first, then run this again.")
            time.sleep(0.1)
        yield


def look(settings: Settings) -> None:
    """Raise LibraryError for what `opened` would not get past; touches nothing, and says nothing of what it mends."""
    data = settings.data
    _expect(data, Memory(settings.state, data))
    if not data.is_dir():
        if not os.access(data.parent, os.W_OK):
            raise LibraryError(
                "No library can be begun in {data}.", "Make the folder, and give it to Shoebox.", data=data
            )
        return
    disk.check(data)
    try:
        own, expected = _in_database(data), marker.read(data)
        if _is_file(data / _DATABASE):
            with closing(database.connect(data / _DATABASE)) as db:
                database.is_up_to_date(db)
    except DamagedLibraryError:  # the next start restores it
        return
    if own is not None and expected is not None and own != expected:
        raise LibraryError("The database in {data} belongs to another library than last time.", _ADOPT, data=data)


def restore(settings: Settings, backup: Path, zone: ZoneInfo) -> Path | None:
    """Go back to a good backup, of whichever library; return where the former database is now, None where none was.

    Raises LibraryError where Shoebox runs or the folder does not hold the library that was there.
    """
    data, memory = settings.data, Memory(settings.state, settings.data)
    _expect(data, memory)
    if not data.is_dir():
        raise LibraryError("There is no folder {data}.", "Name the library's folder with --data DIR.", data=data)
    with alone(settings):
        path = data / _DATABASE
        known = marker.read(data) or memory.library()
        if known is not None and backups.library_of(backup) not in {None, known}:
            raise LibraryError("{backup} is a backup of another library.", "Name a backup of this one.", backup=backup)
        if _is_file(path) and damage.found(path) is None:
            database.connect(path).close()  # what its log still holds goes into it: it is set aside whole
        library = known or backups.library_of(backup) or marker.new_id()
        return _put_back(data, library, backup, zone)


def ask_to_restore(settings: Settings, backup: Path) -> None:
    """Have every process that serves the library end, so that the next start goes back to this backup of its folder.

    Raises LibraryError where it is damaged or of another library.
    """
    data = settings.data
    unfit = _unfit(backup, marker.read(data))
    if unfit is not None:
        raise LibraryError(unfit, "Choose another one.")
    with disk.usable(data):
        (data / _WANTED).write_text(backup.name, encoding="utf-8")
        (data / _LET_GO).touch()


def is_going_back(data: Path) -> bool:
    """Return whether the next start is to go back to a backup, as `ask_to_restore` noted."""
    return (data / _WANTED).exists()


def begin_anew(settings: Settings) -> str:
    """Forget the library that was in the data folder and begin a new one there; return its id.

    Raises LibraryError where one is there.
    """
    if _is_begun(settings.data):
        raise LibraryError("{data} holds a library.", "Name another folder with --data DIR.", data=settings.data)
    with disk.usable(settings.state):
        Memory(settings.state, settings.data).forget()
    with opened(settings, ZoneInfo("UTC")):
        return marker.read(settings.data) or ""


def adopt(settings: Settings) -> str:
    """Take the library that lies in the data folder for this box's own from now on; return its id.

    Raises LibraryError where none is there or somebody works on it.
    """
    data = settings.data
    if not _is_begun(data):
        raise LibraryError(
            "There is no library in {data}.", "Attach its disk, or name its folder with --data DIR.", data=data
        )
    with alone(settings):
        library = _in_database(data) or marker.read(data) or marker.new_id()
        with disk.usable(data):
            marker.write(data, library)
        Memory(settings.state, data).keep(library)
    return library


def call_for_restart(data: Path) -> None:
    """Have every process that serves the library end, since it is damaged: the next start can then restore it."""
    try:
        (data / _LET_GO).touch()
    except OSError as error:  # the disk is going, or full: the others find the damage themselves
        log.warning("the damage cannot be told to the others: %s", error)


def is_called_for(data: Path) -> bool:
    """Return whether somebody has called for a restart since the last start that found the library sound."""
    return os.path.exists(data / _LET_GO)  # and not on a disk that gives errors


class _Use:
    """The lock that tells whether the library is open anywhere; the kernel drops it when its process ends."""

    def __init__(self, data: Path, mode: int = os.O_RDWR | os.O_CREAT) -> None:
        with disk.usable(data):
            self._lock = os.open(data / _IN_USE, mode | os.O_CLOEXEC, 0o640)

    def alone(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def close(self) -> None:
        os.close(self._lock)


def _is_begun(data: Path) -> bool:
    return (data / marker.FILE).exists() or _is_file(data / _DATABASE)


def _is_file(path: Path) -> bool:
    """Return whether there is more than an empty file, which a start that was cut off leaves."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def _expect(data: Path, memory: Memory) -> None:
    """Raise LibraryError where the folder does not hold what it should; touches nothing."""
    with disk.usable(data):
        known, there = memory.library(), data.is_dir()
        if known is not None and not (there and _is_begun(data)):
            raise LibraryError(
                "The library that was in {data} is not there.",
                "Attach its disk and start Shoebox again; or, to begin a new one there, run `shoebox library new`.",
                data=data,
            )
        if not there and not data.parent.is_dir():
            raise LibraryError(
                "There is no folder {parent} to begin a library in.",
                "Attach its disk, make the folder, or name another one with --data DIR.",
                parent=data.parent,
            )
    here = marker.read(data) if there else None
    if known is not None and here is not None and here != known:
        raise LibraryError("{data} holds another library than last time.", _ADOPT, data=data)


def _make_sound(data: Path, memory: Memory, zone: ZoneInfo, *, alone: bool) -> None:
    path = data / _DATABASE
    here = marker.read(data)
    expected = here or memory.library()
    wrong = None
    if alone or is_called_for(data) or not _is_file(path):
        wrong = _wrong(data)
    if wrong is not None and not alone:
        call_for_restart(data)
        raise DamagedLibraryError(
            "The library's database {wrong}.",
            "Stop Shoebox and start it again; it is then restored from the newest backup.",
            wrong=wrong[0],
        )
    own = None if wrong is not None else _in_database(data)
    if own is not None and expected is not None and own != expected:
        raise LibraryError("The database in {data} belongs to another library than last time.", _ADOPT, data=data)
    library = expected or own
    if wrong is not None:
        library = library or _of_newest_backup(data) or marker.new_id()
        _restore(data, library, wrong, zone)
    elif alone and library is not None and (backup := _wanted(data, library)) is not None:
        database.connect(path).close()  # what its log still holds goes into it: it is set aside whole
        _put_back(data, library, backup, zone)
        log.warning("The library’s database was put back to the backup of %s.", recovery.dated(backup, zone))
    elif alone and is_called_for(data) and _is_file(path) and damage.mend_search(path):
        log.warning("the search index was damaged, and is made anew")
    database.bring_up_to_date(path)
    library = library or marker.new_id()
    with closing(database.connect(path)) as db:
        marker.into_database(db, library)
    if here != library:
        with disk.usable(data):
            marker.write(data, library)
    memory.keep(library)
    if alone:
        (data / _LET_GO).unlink(missing_ok=True)
        (data / _WANTED).unlink(missing_ok=True)


def _wrong(data: Path) -> tuple[str, str] | None:
    """Return what is wrong with the database, as people and as the log are told; None for a sound one and a new one."""
    path = data / _DATABASE
    if not _is_file(path):
        if (data / marker.FILE).exists() or backups.listed(data):
            return say("was missing"), say("it is not there")
        if any(files for _, _, files in os.walk(data / "originals")):
            return say("was missing"), say("there are originals only")
        return None
    damaged = damage.found(path, thorough=is_called_for(data))  # or what a quick look misses would be met for ever
    return None if damaged is None else (say("was damaged"), damaged)


def _restore(data: Path, library: str, wrong: tuple[str, str], zone: ZoneInfo) -> None:
    said, told = wrong
    log.critical("the library's database %s: %s", said, told)
    backup = backups.newest_good(data, library)
    if backup is not None:
        text = say(
            "The library’s database {said} and was restored from the backup of {dated}.",
            said=said,
            dated=recovery.dated(backup, zone),
        )
    else:
        text = say(
            "The library’s database {said}, and there was no backup. Every photo and video is kept and is described"
            " again; what people had written themselves, and the settings, are lost.",
            said=said,
        )
    level = Level.WARN if backup is not None else Level.BAD
    aside = recovery.replace(data, library, backup, text, now=time.time(), level=level)
    log.warning("%s The former one is kept as %s.", text, aside.name if aside else "nothing: there was none")


def _put_back(data: Path, library: str, backup: Path, zone: ZoneInfo) -> Path | None:
    """Put a backup in the database's place, as somebody wished; return where the former one is kept."""
    said = say("The library’s database was put back to the backup of {dated}.", dated=recovery.dated(backup, zone))
    return recovery.replace(data, library, backup, said, now=time.time(), why="replaced")


def _wanted(data: Path, library: str) -> Path | None:
    """Return the backup that somebody asked to go back to, None where none is wanted or it is not good any more."""
    try:
        wanted = (data / _WANTED).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    backup = next((one for one in backups.listed(data) if one.name == wanted), None)
    if backup is None or _unfit(backup, library) is not None:
        log.error("the backup %s cannot be gone back to; the library stays as it is", wanted[:100])
        return None
    return backup


def _unfit(backup: Path, library: str | None) -> str | None:
    """Return, as a sentence, why this library cannot go back to a backup; None where it can."""
    wrong = backups.fault(backup)
    if wrong is not None:
        return say("This backup is damaged: {wrong}.", wrong=wrong)
    return None if backups.library_of(backup) in {None, library} else say("This is a backup of another library.")


def _of_newest_backup(data: Path) -> str | None:
    backup = backups.newest_good(data)
    return None if backup is None else backups.library_of(backup)


def _in_database(data: Path) -> str | None:
    if not _is_file(data / _DATABASE):
        return None
    with database.explained(), closing(database.connect(data / _DATABASE)) as db:
        return marker.in_database(db)
