"""File names that every file system takes and nobody can be fooled by."""

import unicodedata

LONGEST_NAME = 200  # bytes in UTF-8; leaves room below 255 for a number
_UNNAMED = "unnamed"
_LONGEST_EXTENSION = 16
# Not allowed on exFAT, NTFS or SMB shares, where originals may be copied.
_FORBIDDEN = frozenset('<>:"|?*')
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"))
)


def safe_name(name: str) -> str:
    """Return a file name made from any text: no folders, invisible or reserved characters, 200 bytes at most.

    The extension is kept where there is one; what has no name is called `unnamed`. A safe name stays as it is.
    """
    text = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = [part for part in map(_clean, text.split("/")) if part]
    stem, extension = _split(parts[-1] if parts else "")
    stem = stem or _UNNAMED
    if stem.startswith("-") or stem.split(".")[0].rstrip().lower() in _RESERVED:
        stem = f"_{stem}"  # programs take a name that begins with a dash for an option
    return _shorten(stem, LONGEST_NAME - len(extension.encode())) + extension


def numbered(name: str, number: int | str) -> str:
    """Return the name with a number before its extension: `beach.jpg` and 2 give `beach-2.jpg`."""
    stem, extension = _split(name)
    return f"{stem}-{number}{extension}"


def _clean(part: str) -> str:
    kept = []
    for c in part:
        category = unicodedata.category(c)
        if category == "Zs":
            kept.append(" ")  # no-break and other wide spaces look like one and cannot be typed
        elif category not in _INVISIBLE:
            kept.append("_" if c in _FORBIDDEN else c)
    # Dropping characters may have brought others together: compose once more.
    return unicodedata.normalize("NFC", "".join(kept)).strip(" .")


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if dot and extension.isascii() and extension.isalnum() and len(extension) <= _LONGEST_EXTENSION:
        return stem.rstrip(". "), f".{extension}"
    return name, ""


def _shorten(stem: str, room: int) -> str:
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ")
