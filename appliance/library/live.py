"""Live Photos: a phone sends a photo and a few seconds of film of the same name, which belong together."""

import json
from collections.abc import Sequence
from pathlib import PurePath

from appliance.library.database import Connection

_SECONDS = 5.0  # a longer film is one of its own
_DAYS = 1.0  # between the two files' arrival, and between the times at which they were taken
_PHOTOS = (".heic", ".heif", ".jpg", ".jpeg")
_FILMS = (".mov",)


def pair(db: Connection, item_id: int) -> None:
    """Note which photo this prepared film belongs to, or which film to this photo; nothing where there is none."""
    item = db.execute("SELECT name, kind FROM items WHERE id = ?", (item_id,)).fetchone()
    name = PurePath(item["name"])
    own, others = (_PHOTOS, _FILMS) if item["kind"] == "photo" else (_FILMS, _PHOTOS)
    if name.suffix.lower() not in own:
        return
    photo, film = ("?1", "other.id") if item["kind"] == "photo" else ("other.id", "?1")
    db.execute(
        f"""
        UPDATE items SET live_of = found.photo FROM (
          SELECT {photo} AS photo, {film} AS film FROM items AS other, items AS own
          WHERE own.id = ?1 AND other.name COLLATE NOCASE IN (SELECT value FROM json_each(?2))
            AND other.kind <> own.kind AND other.trashed_at IS NULL AND own.trashed_at IS NULL
            AND abs(julianday(other.added_at) - julianday(own.added_at)) <= ?4
            AND coalesce(abs(julianday(other.taken_at) - julianday(own.taken_at)) <= ?4, TRUE)
          ORDER BY abs(julianday(other.added_at) - julianday(own.added_at)), other.id LIMIT 1
        ) AS found
        WHERE items.id = found.film AND items.live_of IS NULL AND items.duration <= ?3
          AND NOT EXISTS (SELECT 1 FROM items AS taken WHERE taken.live_of = found.photo)
        """,  # noqa: S608
        (item_id, _json(name.stem, others), _SECONDS, _DAYS),
    )


def films_of(db: Connection, item_ids: Sequence[int]) -> dict[int, int]:
    """Return the ids of the films that belong to photos, by the photo's id."""
    rows = db.execute(
        "SELECT live_of, id FROM items WHERE live_of IN (SELECT value FROM json_each(?))", (json.dumps(list(item_ids)),)
    )
    return {row[0]: row[1] for row in rows}


def _json(stem: str, suffixes: tuple[str, ...]) -> str:
    return json.dumps([stem + suffix for suffix in suffixes])
