"""The item page: one photo or video, what is written on its back, and what is known of it."""

from collections.abc import Mapping
from datetime import tzinfo
from types import MappingProxyType

from litestar import Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.errors import ShoeboxError
from appliance.library import items
from appliance.pages import moments, names, words
from appliance.pages.box import Box
from appliance.pages.errors import problem
from appliance.pages.head import GET
from appliance.pages.serialise import etag, history_json, item_json
from appliance.pages.templates import Templates, html
from appliance.records import Item, Kind, Source
from appliance.sentences import joined, say


@route("/items/{number:int}", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def item(number: FromPath[int], box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    return shown(box, templates, number)


def shown(
    box: Box,
    templates: Templates,
    number: int,
    refused: ShoeboxError | None = None,
    typed: Mapping[str, str] = MappingProxyType({}),
) -> Response[str]:
    """Return an item's page; with why its form was `refused`, it keeps what was `typed`."""
    with box.library() as db:
        revision = items.revision(db)  # first: what changes meanwhile is told to the page once it listens
        found = items.get(db, number)
        models = box.known_models()
        newer, older = items.neighbours(db, number)
        written = history_json(db, number, models)
        text = templates.page(
            "item.html", box, db, "library",
            item=item_json(db, found, models),
            etag=etag(found),
            refused=refused,
            typed=typed,
            history=written,
            said_before=next((entry for entry in written if entry["source"] == Source.MODEL), None),
            facts=facts(found, box.zone(db), next((entry["milliseconds"] for entry in written), None)),
            revision=revision,
            place=place(found),
            shown_by_browsers=names.SHOWN_BY_BROWSERS,
            days=moments.range_of_days(),
            previous=newer,
            next=older,
        )  # fmt: skip
    return html(text, 200 if refused is None else problem(refused).status)


def facts(found: Item, zone: tzinfo, milliseconds: int | None = None) -> list[tuple[str, str]]:
    """Return what is known of a file, in people's words: label and value, only what there is.

    `milliseconds` is how long a model took for what is written of it now.
    """
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
        (say("Described in"), "" if milliseconds is None else say("{count} ms", count=words.number(milliseconds))),
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
