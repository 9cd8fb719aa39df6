"""The item page: one photo or video, what is written on its back, and what is known of it."""

from datetime import tzinfo
from typing import Any

from litestar import Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.library import dates, descriptions, items
from appliance.library.database import Connection
from appliance.pages import moments, names, words
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.serialise import described_by, item_json
from appliance.pages.templates import Templates, html
from appliance.records import Item, Kind, ModelInfo, Source


@route("/items/{number:int}", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def item(number: FromPath[int], box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        found = items.get(db, number)
        models = box.known_models()
        newer, older = items.neighbours(db, number)
        written = history(db, number, models)
        text = templates.page(
            "item.html", box, db, "library",
            item=item_json(db, found, models),
            history=written,
            said_before=next((entry for entry in written if entry["source"] == Source.MODEL), None),
            facts=facts(found, box.zone(db)),
            dated=dates.set_by_person(db, number),
            file_date=dates.of_file(db, number),
            days=moments.range_of_days(),
            previous=newer,
            next=older,
        )  # fmt: skip
    return html(text)


def history(db: Connection, number: int, models: dict[str, ModelInfo]) -> list[dict[str, Any]]:
    """Return every description the item had, the newest first, each with who wrote it."""
    return [{"text": written.text} | described_by(written, models) for written in descriptions.history(db, number)]


def facts(found: Item, zone: tzinfo) -> list[tuple[str, str]]:
    """Return what is known of a file, in people's words: label and value, only what there is."""
    megapixels = (found.width or 0) * (found.height or 0) / 1e6
    pixels = f"{found.width} × {found.height}" if found.width and found.height else ""
    if megapixels >= 1 and found.kind is Kind.PHOTO:
        pixels += f" ({megapixels:.0f} megapixels)"
    place = ""
    if found.latitude is not None and found.longitude is not None:
        north, east = "N" if found.latitude >= 0 else "S", "E" if found.longitude >= 0 else "W"
        place = f"{abs(found.latitude):.4f}° {north}, {abs(found.longitude):.4f}° {east}"
    word = names.format_word(found.mime)
    pairs = [
        ("Taken", words.when(found.taken_at, zone)),
        ("Added", words.when(found.added_at, zone)),
        ("Length", words.duration(found.duration) if found.kind is Kind.VIDEO else ""),
        ("Camera", found.camera or ""),
        ("Place", place),
        ("Size", pixels),
        ("File", found.name),
        ("File size", words.size(found.bytes) + (f" ({word})" if word else "")),
    ]
    return [(label, value) for label, value in pairs if value]
