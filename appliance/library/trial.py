"""The scene that `shoebox try` sends: known by a mark in its file, should a power cut leave it behind."""

from pathlib import Path

from appliance.library.database import Connection
from appliance.library.store import Store

NAME = "shoebox-try.png"
MARK = "shoebox try"  # how the comment in the file begins
_CHUNK = b"tEXtComment\0" + MARK.encode()
_HEAD = 512  # bytes; the comment stands before the picture


def is_scene(original: Path) -> bool:
    """Return whether an original is such a scene, and nobody's photo."""
    if not original.name.startswith(NAME.partition(".")[0]):
        return False
    with original.open("rb") as file:
        return _CHUNK in file.read(_HEAD)


def left(db: Connection, store: Store) -> list[int]:
    """Return the items that are such scenes."""
    rows = db.execute("SELECT id, path FROM items WHERE name LIKE 'shoebox-try%'").fetchall()
    paths = ((int(row["id"]), store.original(row["path"])) for row in rows)
    return [number for number, path in paths if path.is_file() and is_scene(path)]
