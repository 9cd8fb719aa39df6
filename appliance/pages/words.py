"""How the page writes dates, sizes and times: units that people use, no clock and no locale of the machine."""

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo

from appliance.sentences import Sentence, counted, said_date, say

_UNITS: tuple[Callable[[str], Sentence], ...] = (
    lambda amount: say("{amount} KB", amount=amount),
    lambda amount: say("{amount} MB", amount=amount),
    lambda amount: say("{amount} GB", amount=amount),
    lambda amount: say("{amount} TB", amount=amount),
)


def when(value: str | None, zone: tzinfo = UTC) -> str:
    """Return an ISO 8601 date or time as `3 May 2024, 14:20`; "" for None.

    A camera's time is shown as its own clock showed it, one in UTC (`…Z`, as the library writes) in `zone`.
    """
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(value)
        day: date = moment.astimezone(zone) if value.endswith("Z") else moment
    except ValueError:
        return value
    return said_date(day, f"{day:%H:%M}" if "T" in value or " " in value else "")


def size(count: int | None) -> str:
    """Return bytes as `3.1 MB` (a MB is a million bytes, as on the card's label)."""
    if count is None:
        return ""
    if count < 1000:
        return counted("{count} byte", "{count} bytes", count)
    amount = float(count)
    for unit in _UNITS:
        amount /= 1000
        # 999.95 would be written as "1000.0", so the next unit takes over a little early.
        if amount < 999.5 or unit == _UNITS[-1]:
            break
    return unit(f"{amount:.1f}" if amount < 9.95 else f"{amount:.0f}")


def duration(seconds: float | None) -> str:
    """Return a length or a moment of a video as `m:ss`, or `h:mm:ss` from an hour on."""
    if seconds is None:
        return ""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def seconds(value: float | None) -> str:
    """Return how long something took as `under 0.1 s`, `1.2 s`, `48 s` or `2 min 5 s`."""
    if value is None:
        return ""
    if value < 0.05:
        return say("under 0.1 s")
    if value < 9.95:
        return say("{seconds:.1f} s", seconds=value)
    whole = round(value)
    if whole < 60:
        return say("{seconds} s", seconds=whole)
    minutes, rest = divmod(whole, 60)
    if rest:
        return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return say("{minutes} min", minutes=minutes)


def number(value: int) -> str:
    """Return a whole number as `12,345`."""
    return f"{value:,}"
