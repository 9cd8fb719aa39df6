"""What the box remembers, apart from the data folder: which library it had there last time.

Only so can an empty mount point be told from a new folder. Written once a library, and never needed to serve it: where
it cannot be kept, the marker in the folder has to do.
"""

import hashlib
import json
import logging
from pathlib import Path

from appliance.library.durable import write_durably

log = logging.getLogger(__name__)


class Memory:
    """The note in the folder `state` about the library in `data`."""

    def __init__(self, state: Path, data: Path) -> None:
        self._data = str(data)
        self._file = state / f"{hashlib.sha256(bytes(data)).hexdigest()[:16]}.json"

    def library(self) -> str | None:
        """Return the id of the library that was in the data folder last time, None where that is not known."""
        try:
            said = json.loads(self._file.read_bytes())
            return str(said["library"]) if said["data"] == self._data else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("which library was in %s cannot be read in %s: %s", self._data, self._file, error)
            return None

    def keep(self, library: str) -> None:
        """Remember the library; a note that says so already is left alone."""
        if self._file.exists() and self.library() == library:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            said = {"data": self._data, "library": library}
            write_durably(self._file, json.dumps(said, ensure_ascii=True).encode() + b"\n")
        except OSError as error:
            log.warning(
                "the box cannot remember which library is in %s, so an empty folder in its place would not be noticed:"
                " %s", self._data, error,
            )  # fmt: skip

    def forget(self) -> None:
        """Remember nothing of the data folder; raises OSError where the note stays."""
        self._file.unlink(missing_ok=True)
