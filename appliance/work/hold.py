"""What has all work wait: a disk that is full, read-only or gone, or that has just refused a write."""

import logging
import time

from appliance.errors import StorageError
from appliance.library.store import Store

PAUSE = 30.0  # seconds until work is tried again where a write was refused for a reason that a look does not show

log = logging.getLogger(__name__)


class Hold:
    """Whether work waits, found by a look at the disk that costs nothing; told in the log when it begins and ends.

    Used by several threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._until = 0.0  # by the monotonic clock
        self._told = ""

    def begin(self, error: StorageError) -> None:
        """Have work wait because of `error`: until the disk looks well again, or for PAUSE where it looks well now."""
        self._tell(error)
        if not self._ails():
            self._until = time.monotonic() + PAUSE

    def stands(self) -> bool:
        """Return whether work has to wait."""
        if self._ails() or time.monotonic() < self._until:
            return True
        if self._told:
            self._told = ""
            log.info("Work goes on.")
        return False

    def _ails(self) -> bool:
        try:
            self._store.check()
        except StorageError as error:
            self._tell(error)
            return True
        return False

    def _tell(self, error: StorageError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            log.error("%s All work waits until then.", error)
