"""When a picture was taken, as a person says it: checked, since the first photograph and until tomorrow."""

import re
from datetime import UTC, date, datetime, timedelta

from appliance.pages.errors import RequestError

FIRST = date(1826, 1, 1)
_SHAPE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


def range_of_days() -> tuple[date, date]:
    """Return the first and the last day that can be meant: tomorrow has begun somewhere."""
    return FIRST, datetime.now(UTC).date() + timedelta(days=1)


def read(text: str) -> str:
    """Return a day, or a day with a time, as the library keeps it; raise RequestError where it cannot be meant."""
    first, last = range_of_days()
    try:
        if not _SHAPE.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError("This is no date.", "Give a day such as 2024-05-03, with a time or without.") from None
    if not first <= moment.date() <= last:
        raise RequestError(
            "This date cannot be: {date}.",
            "Use a day from {first} to {last}.",
            date=moment.date(),
            first=first,
            last=last,
        )
    return moment.isoformat(timespec="seconds") if len(text) > 10 else text
