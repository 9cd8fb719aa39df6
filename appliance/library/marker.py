"""Which library a data folder holds: said by a small file in it, and by a row of its database.

An unmounted disk leaves an empty folder behind, and another disk may be attached in its place: neither may be taken for
the library that was there.
"""

import json
import os
import uuid
from pathlib import Path

from appliance.errors import LibraryError
from appliance.library.database import Connection, transaction
from appliance.library.durable import write_durably
from appliance.sentences import say

FILE = "shoebox.json"
_LAYOUT = 1  # of the data folder
_GONE_STEP = say("Attach its disk again; Shoebox then goes on by itself.")


def read(data: Path) -> str | None:
    """Return the id of the library in the folder, None where no marker is there or it cannot be made out.

    Raises LibraryError where the disk gives errors or a newer Shoebox laid the folder out.
    """
    try:
        said = json.loads((data / FILE).read_bytes())
        layout, library = int(said["layout"]), str(said["library"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LibraryError(
            "The data folder {data} cannot be read: {strerror}.",
            "Check the card or disk, and who owns it.",
            data=data,
            strerror=error.strerror,
        ) from error
    except (ValueError, KeyError, TypeError):
        return None
    if layout > _LAYOUT:
        raise LibraryError("This library was made by a newer Shoebox.", "Update Shoebox.")
    return library or None


def write(data: Path, library: str) -> None:
    """Mark the folder as holding the library; the mark is on the disk when this returns."""
    write_durably(data / FILE, json.dumps({"library": library, "layout": _LAYOUT}).encode() + b"\n")


def new_id() -> str:
    """Return an id for a new library."""
    return uuid.uuid4().hex


def in_database(db: Connection) -> str | None:
    """Return the id that the database carries, None where it is older than ids are."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'identity'").fetchone():
        return None
    row = db.execute("SELECT library FROM identity").fetchone()
    return None if row is None else str(row[0])


def into_database(db: Connection, library: str) -> None:
    """Have the migrated database carry this id; nothing is written where it does already."""
    if in_database(db) != library:
        with transaction(db):
            db.execute("INSERT OR REPLACE INTO identity VALUES (1, ?)", (library,))


class Presence:
    """Whether the library that was there at the start is there still; asking costs a look at one small file."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._library = read(data)
        self.was_gone = False  # at any time since the start: what was opened then may be of a disk that is gone
        self._seen: tuple[int, int, int] | None = None  # the marker file that was last read

    def check(self) -> None:
        """Raise LibraryError where the folder was unmounted, removed or replaced."""
        try:
            self._look()
        except OSError as error:
            self.was_gone = True
            raise LibraryError("The library is no longer in {data}.", _GONE_STEP, data=self._data) from error
        except LibraryError:
            self.was_gone = True
            raise

    def _look(self) -> None:
        if self._library is None:  # one that nobody has opened as a box does, as in tests
            (self._data / "library.db").stat()
            return
        state = os.stat(self._data / FILE)
        seen = (state.st_dev, state.st_ino, state.st_mtime_ns)
        if seen != self._seen:
            if read(self._data) != self._library:
                raise LibraryError(
                    "{data} holds another library now.",
                    "Attach the disk of the first one again, or restart.",
                    data=self._data,
                )
            self._seen = seen

    def is_there(self) -> bool:
        """Return whether `check` raises nothing."""
        try:
            self.check()
        except LibraryError:
            return False
        return True
