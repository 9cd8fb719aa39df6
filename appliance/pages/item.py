"""The item page: one photo or video, what is written on its back, and what is known of it."""

from datetime import tzinfo
from typing import Any

from litestar import Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.library import dates, descriptions, items, live
from appliance.library.database import Connection
from appliance.pages import moments, names, words
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.serialise import described_by, item_json
from appliance.pages.templates import Templates, html
from appliance.records import Item, Kind, ModelInfo, Source
from appliance.sentences import joined, say


@route("/items/{number:int}", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def item(number: FromPath[int], box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        found = items.get(db, number)
        models = box.known_models()
        newer, older = items.neighbours(db, number)
        dated, file_date = dates.known(db, number)
        written = history(db, number, models)
        text = templates.page(
            "item.html", box, db, "library",
            item=item_json(db, found, models),
            history=written,
            said_before=next((entry for entry in written if entry["source"] == Source.MODEL), None),
            facts=facts(found, box.zone(db)),
            place=place(found),
            film=live.film_of(db, number),
            shown_by_browsers=names.SHOWN_BY_BROWSERS,
            dated=dated,
            file_date=file_date,
            days=moments.range_of_days(),
            previous=newer,
            next=older,
        )  # fmt: skip
    return html(text)


def history(db: Connection, number: int, models: dict[str, ModelInfo]) -> list[dict[str, Any]]:
    """Return every description the item had, the one shown and then the newest first, each with who wrote it."""
    written = descriptions.history(db, number)
    # What a model said after a person wrote is newer, and all the same not what is shown.
    shown = next((one for one in written if one.source is Source.PERSON), None)
    ordered = written if shown is None else [shown, *(one for one in written if one is not shown)]
    return [{"text": one.text} | described_by(one, models) for one in ordered]


def facts(found: Item, zone: tzinfo) -> list[tuple[str, str]]:
    """Return what is known of a file, in people's words: label and value, only what there is."""
    megapixels = (found.width or 0) * (found.height or 0) / 1e6
    pixels = f"{found.width} × {found.height}" if found.width and found.height else ""
    if megapixels >= 1 and found.kind is Kind.PHOTO:
        pixels = say("{pixels} ({megapixels:.0f} megapixels)", pixels=pixels, megapixels=megapixels)
    word = names.format_word(found.mime)
    pairs = [
        (say("Taken"), words.when(found.taken_at, zone)),
        (say("Added"), words.when(found.added_at, zone)),
        (say("Length"), words.duration(found.duration) if found.kind is Kind.VIDEO else ""),
        (say("Camera"), found.camera or ""),
        (say("Size"), pixels),
        (say("File"), found.name),
        (say("File size"), joined((words.size(found.bytes), f"({word})")) if word else words.size(found.bytes)),
    ]
    return [(label, value) for label, value in pairs if value]


def place(found: Item) -> str:
    """Return where an item was taken, empty where the file does not tell; the page shows it only when asked."""
    if found.latitude is None or found.longitude is None:
        return ""
    north = say("N") if found.latitude >= 0 else say("S")
    east = say("E") if found.longitude >= 0 else say("W")
    return say(
        "{latitude:.4f}° {north}, {longitude:.4f}° {east}",
        latitude=abs(found.latitude),
        north=north,
        longitude=abs(found.longitude),
        east=east,
    )
