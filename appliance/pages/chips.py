"""What the library can be narrowed down to: the chips of its page, and the same as JSON."""

from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from appliance.library import items, tally
from appliance.library.database import Connection
from appliance.pages.box import Box
from appliance.pages.serialise import model_name
from appliance.records import ModelInfo

TAGS = 12  # of the commonest, to choose from


@dataclass(frozen=True, slots=True)
class Chips:
    """The years that have items, the newest first, the commonest tags, and each describing model's id and name."""

    years: list[str]
    tags: list[str]
    describers: list[tuple[str, str]]


@get("/api/v1/filters", sync_to_thread=True)
def filters(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer what items can be asked for by: the years that have any, the commonest tags, the models that described.

    Each is a value of `year`, `tag` or `described_by` of a listing; what people described is `described_by=person`.
    """
    with box.library() as db:
        found = chips(db, box.known_models())
    return {
        "years": [int(year) for year in found.years],
        "tags": found.tags,
        "describers": [{"id": id, "name": name} for id, name in found.describers],
    }


def chips(db: Connection, models: dict[str, ModelInfo]) -> Chips:
    """Return what the chips offer; `models` are the installed ones by id."""
    return Chips(items.years(db), tally.commonest_tags(db, TAGS), _named(items.describers(db), models))


def _named(ids: list[str], models: dict[str, ModelInfo]) -> list[tuple[str, str]]:
    """Return each model's id and name; variants of one name go by their ids."""
    names = [model_name(id, models) for id in ids]
    return [(id, id if names.count(name) > 1 else name) for id, name in zip(ids, names, strict=True)]
