"""What items show: descriptions with their history, a video's described moments, and tags."""

import json
from collections.abc import Iterable
from sqlite3 import Row

from appliance.library import search
from appliance.library.database import Connection, instant, transaction
from appliance.records import Described, Description, Frame, Source, Tag


def save(db: Connection, item_id: int, described: Described, *, now: float | None = None) -> None:
    """Add a model's description and put its frames and tags in place of the former ones; a person's words stay.

    Meant for the inside of the caller's transaction, beside `claims.finish`.
    """
    with transaction(db):
        db.execute(
            "INSERT INTO descriptions (item_id, text, source, model, created_at, milliseconds)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (item_id, described.text, Source.MODEL, described.model, instant(now), round(described.seconds * 1000)),
        )
        db.execute("DELETE FROM frames WHERE item_id = ?", (item_id,))
        db.executemany(
            "INSERT INTO frames (item_id, place, at, text, thumbnail) VALUES (?, ?, ?, ?, ?)",
            [(item_id, place, frame.at, frame.text, frame.thumbnail) for place, frame in enumerate(described.frames)],
        )
        set_tags(db, item_id, described.tags, replacing=(Source.MODEL, Source.RECOGNISER, Source.FILE))


def write(db: Connection, item_id: int, text: str, *, author: str | None = None, now: float | None = None) -> None:
    """Add the description of a person called `author`, which from now on is the one shown.

    The same words once more change nothing.
    """
    with transaction(db):
        shown = current(db, item_id)
        if shown is not None and shown.source is Source.PERSON and shown.text == text:
            return
        db.execute(
            "INSERT INTO descriptions (item_id, text, source, created_at, author) VALUES (?, ?, ?, ?, ?)",
            (item_id, text, Source.PERSON, instant(now), author),
        )
        search.index(db, item_id)


def withdraw(db: Connection, item_id: int) -> bool:
    """Take back a person's newest description; what was there before it is shown again. Tell whether there was one."""
    with transaction(db):
        taken = db.execute(
            "DELETE FROM descriptions WHERE id = ("
            " SELECT max(id) FROM descriptions WHERE item_id = ? AND source = 'person')",
            (item_id,),
        )
        search.index(db, item_id)
    return taken.rowcount > 0


def set_tags(db: Connection, item_id: int, tags: Iterable[Tag], *, replacing: Iterable[Source]) -> None:
    """Put `tags` in place of the item's tags from the sources in `replacing`.

    A tag that is already there from another source keeps that source, but a person's wins, and what a person took off
    nobody but a person puts on again. Letter case does not tell tags apart.
    """
    with transaction(db):
        unwanted = {
            row[0].lower() for row in db.execute("SELECT text FROM unwanted_tags WHERE item_id = ?", (item_id,))
        }
        db.executemany("DELETE FROM tags WHERE item_id = ? AND source = ?", [(item_id, source) for source in replacing])
        db.executemany(
            """
            INSERT INTO tags (item_id, text, source, place)
            VALUES (?, ?, ?, (SELECT coalesce(max(place) + 1, 0) FROM tags WHERE item_id = ?))
            ON CONFLICT (item_id, text) DO UPDATE SET source = excluded.source, text = excluded.text
            WHERE excluded.source = 'person'
            """,
            [
                (item_id, tag.text, tag.source, item_id)
                for tag in tags
                if tag.source is Source.PERSON or tag.text.lower() not in unwanted
            ],
        )
        search.index(db, item_id)


def choose_tags(db: Connection, item_id: int, wanted: Iterable[str]) -> None:
    """Let the item have exactly the `wanted` tags, as a person chose them; what is taken off stays off."""
    with transaction(db):
        before = {tag.text.lower(): tag for tag in tags(db, item_id)}
        chosen = {text.lower(): text for text in wanted}
        off = [(item_id, text) for text in before.keys() - chosen.keys()]
        db.executemany("DELETE FROM tags WHERE item_id = ? AND text = ?", off)
        db.executemany("INSERT INTO unwanted_tags (item_id, text) VALUES (?, ?) ON CONFLICT DO NOTHING", off)
        db.executemany("DELETE FROM unwanted_tags WHERE item_id = ? AND text = ?", [(item_id, text) for text in chosen])
        added = [Tag(text, Source.PERSON) for key, text in chosen.items() if key not in before]
        set_tags(db, item_id, added, replacing=())


def current(db: Connection, item_id: int) -> Description | None:
    """Return the description shown: a person's newest, else a model's newest."""
    return current_for(db, [item_id]).get(item_id)


def current_for(db: Connection, item_ids: Iterable[int]) -> dict[int, Description]:
    """Return the descriptions shown for a page of items, by item id; items without one are left out."""
    rows = db.execute(
        # 'person' sorts after 'model', so a person's newest comes first
        """
        SELECT descriptions.* FROM json_each(?) AS wanted JOIN descriptions ON descriptions.id =
          (SELECT id FROM descriptions WHERE item_id = wanted.value ORDER BY source DESC, id DESC LIMIT 1)
        """,
        (json.dumps(list(item_ids)),),
    )
    return {row["item_id"]: _description(row) for row in rows}


def history(db: Connection, item_id: int) -> list[Description]:
    """Return every description the item ever had, the newest first."""
    rows = db.execute("SELECT * FROM descriptions WHERE item_id = ? ORDER BY id DESC", (item_id,))
    return [_description(row) for row in rows]


def frames(db: Connection, item_id: int) -> tuple[Frame, ...]:
    """Return a video's described moments in their order."""
    rows = db.execute("SELECT at, text, thumbnail FROM frames WHERE item_id = ? ORDER BY place", (item_id,))
    return tuple(Frame(row["at"], row["text"], row["thumbnail"]) for row in rows)


def tags(db: Connection, item_id: int) -> tuple[Tag, ...]:
    """Return the item's tags in the order they were given."""
    rows = db.execute("SELECT text, source FROM tags WHERE item_id = ? ORDER BY place, text", (item_id,))
    return tuple(Tag(row["text"], Source(row["source"])) for row in rows)


def tags_for(db: Connection, item_ids: Iterable[int]) -> dict[int, tuple[Tag, ...]]:
    """Return the tags of a page of items, by item id; items without tags are left out."""
    found: dict[int, list[Tag]] = {}
    for row in db.execute(
        "SELECT item_id, text, source FROM json_each(?) AS wanted JOIN tags ON tags.item_id = wanted.value"
        " ORDER BY item_id, place, text",
        (json.dumps(list(item_ids)),),
    ):
        found.setdefault(row["item_id"], []).append(Tag(row["text"], Source(row["source"])))
    return {item_id: tuple(tags) for item_id, tags in found.items()}


def described_by(db: Connection, model_id: str) -> list[int]:
    """Return the ids of completed items, not in the trash, whose newest model description is by this model."""
    rows = db.execute(
        """
        SELECT item_id FROM descriptions AS newest JOIN items ON items.id = item_id
        WHERE source = 'model' AND model = ? AND trashed_at IS NULL AND status = 'completed' AND NOT EXISTS (
          SELECT 1 FROM descriptions WHERE item_id = newest.item_id AND source = 'model' AND id > newest.id
        ) ORDER BY item_id
        """,
        (model_id,),
    )
    return [row[0] for row in rows]


def _description(row: Row) -> Description:
    return Description(
        row["text"], Source(row["source"]), row["created_at"], row["model"], row["milliseconds"], row["author"]
    )
