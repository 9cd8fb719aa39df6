"""How often somebody may try a password or a code: a few times, then not for a while."""

import time
from collections import OrderedDict
from threading import Lock

WINDOW_SECONDS = 900.0
MOST_KEPT = 2000


class Attempts:
    """Counts tries by key over a quarter of an hour; the oldest keys are forgotten where there are too many."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._tries: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: str, now: float | None = None) -> int:
        """Count one try; return 0 where it is allowed, else the seconds until the next one is."""
        now = time.monotonic() if now is None else now
        with self._lock:
            since, count = self._tries.get(key, (now, 0))
            if now - since >= WINDOW_SECONDS:
                since, count = now, 0
            if count >= self._allowed:
                return max(1, round(since + WINDOW_SECONDS - now))
            self._tries[key] = (since, count + 1)
            self._tries.move_to_end(key)
            while len(self._tries) > MOST_KEPT:
                self._tries.popitem(last=False)
            return 0

    def forget(self, key: str) -> None:
        """Let a key begin anew: it was right."""
        with self._lock:
            self._tries.pop(key, None)
