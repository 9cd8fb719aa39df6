"""Shipped files: inside the package in a wheel, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset(name: str) -> Path:
    """Return the path of the shipped file or folder `name`, for example `web/templates` or `models/catalog.toml`.

    Raises FileNotFoundError where it was not shipped.
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is missing from this installation of Shoebox; install it again.")
