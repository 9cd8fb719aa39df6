"""Whether what somebody is about to change is still what they have read."""


def fits(expected: str | None, now: str) -> bool:
    """Return whether the ETag `now` is one of those in an If-Match header; any is for `*`, and where there is none."""
    if expected is None or expected.strip() == "*":
        return True
    return now in [one.strip().removeprefix("W/") for one in expected.split(",")]
