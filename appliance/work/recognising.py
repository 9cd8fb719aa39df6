"""The recogniser as the captioner child uses it: loaded at its first picture, and never to an item's harm."""

import logging
from collections.abc import Callable

from PIL.Image import Image

from appliance.caption.recognised import NOTHING, Recognised
from appliance.caption.recogniser import Recogniser
from appliance.errors import ShoeboxError

log = logging.getLogger(__name__)


class Recognising:
    """Looks at pictures; where the recogniser cannot be loaded, or fails, recognises nothing and says so in the log."""

    def __init__(self, load: Callable[[], Recogniser | None]) -> None:
        self._load = load
        self._recogniser: Recogniser | None = None
        self._tried = False

    def look(self, picture: Image) -> Recognised:
        """Return what `picture` surely shows."""
        try:
            if not self._tried:
                self._tried = True
                self._recogniser = self._load()
            return NOTHING if self._recogniser is None else self._recogniser.recognise(picture)
        except (ShoeboxError, MemoryError) as error:
            log.warning("nothing is recognised: %s", error)
            return NOTHING
