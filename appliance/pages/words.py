"""How the page writes dates, sizes and times: units that people use, no clock and no locale of the machine."""

from datetime import UTC, date, datetime, tzinfo

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS = ("KB", "MB", "GB", "TB")


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
    words = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    if "T" in value or " " in value:
        words += f"{day:, %H:%M}"
    return words


def size(count: int | None) -> str:
    """Return bytes as `3.1 MB` (a MB is a million bytes, as on the card's label)."""
    if count is None:
        return ""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    amount = float(count)
    for unit in _UNITS:
        amount /= 1000
        # 999.95 would be written as "1000.0", so the next unit takes over a little early.
        if amount < 999.5 or unit == _UNITS[-1]:
            break
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


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
        return "under 0.1 s"
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def number(value: int) -> str:
    """Return a whole number as `12,345`."""
    return f"{value:,}"
