"""Records as JSON: what the API answers, the live events carry and the templates are given."""

from datetime import UTC, datetime
from typing import Any

from appliance import __version__
from appliance.library import describer, descriptions, jobs, live, search, status
from appliance.library.database import Connection
from appliance.pages import notices
from appliance.pages.box import Box
from appliance.records import RECOGNISER, Description, Item, Kind, ModelInfo, Notice, Source, Tag
from appliance.work import forecast
from appliance.work.lock import worker_runs

SAMPLE_IDS = "sample-"


def item_json(db: Connection, item: Item, models: dict[str, ModelInfo]) -> dict[str, Any]:
    """Return one item with its description, tags and frames; `models` are the installed ones by id."""
    asked = item.id in jobs.asked_for(db, [item.id])
    film = live.films_of(db, [item.id]).get(item.id)
    return _fields(db, item, descriptions.current(db, item.id), descriptions.tags(db, item.id), models, asked, film)


def etag(item: Item) -> str:
    """Return what tells one state of an item from every other."""
    return f'"{item.id}-{item.revision}"'


def items_json(
    db: Connection, items: list[Item], models: dict[str, ModelInfo], q: str | None = None
) -> list[dict[str, Any]]:
    """Return many items; their descriptions and tags are read at once.

    Where they were searched for by `q`, each has `marks`, the text that says it (see `search.Hit`) in pieces
    `{text, marked}`, and `hit_at`, the second of a video's moment that was found (null where none was).
    """
    numbers = [item.id for item in items]
    texts, tags = descriptions.current_for(db, numbers), descriptions.tags_for(db, numbers)
    asked, films = jobs.asked_for(db, numbers), live.films_of(db, numbers)
    told = [
        _fields(db, item, texts.get(item.id), tags.get(item.id, ()), models, item.id in asked, films.get(item.id))
        for item in items
    ]
    if q:
        found = search.hits(db, q, numbers)
        for fields in told:
            hit = found.get(fields["id"])
            pieces = hit.pieces if hit else (((fields["description"] or ""), False),)
            fields["marks"] = [{"text": text, "marked": marked} for text, marked in pieces if text]
            fields["hit_at"] = hit.at if hit else None
    return told


def history_json(db: Connection, number: int, models: dict[str, ModelInfo]) -> list[dict[str, Any]]:
    """Return every description an item had, the one shown and then the newest first, each with who wrote it."""
    written = descriptions.history(db, number)
    # What a model said after a person wrote is newer, and all the same not what is shown.
    shown = next((one for one in written if one.source is Source.PERSON), None)
    ordered = written if shown is None else [shown, *(one for one in written if one is not shown)]
    return [{"text": one.text} | described_by(one, models) for one in ordered]


def described_by(description: Description, models: dict[str, ModelInfo]) -> dict[str, Any]:
    """Return who wrote a description: source, model id, its name, whether sample or recogniser, when, how long."""
    model = models.get(description.model or "")
    # Of a model that has been removed since, a sample's id begins with "sample-".
    recognised = description.model == RECOGNISER
    name = model_name(description.model, models) if description.model else description.author
    sample = model.sample if model else (description.model or "").startswith(SAMPLE_IDS)
    seconds = None if description.milliseconds is None else description.milliseconds / 1000
    return {
        "source": description.source.value,
        "model": description.model,
        "name": name,
        "sample": sample,
        "recognised": recognised,  # without BLIP, by the recogniser alone
        "at": description.created_at,
        "seconds": seconds,
        "milliseconds": description.milliseconds,
    }


def model_name(id: str, models: dict[str, ModelInfo]) -> str:
    """Return the name that people know a model by; one that has been removed since is known by its id alone."""
    return models[id].name if id in models else "EfficientNet-Lite0" if id == RECOGNISER else id


def _fields(
    db: Connection,
    item: Item,
    description: Description | None,
    tags: tuple[Tag, ...],
    models: dict[str, ModelInfo],
    asked: bool,
    film: int | None,
) -> dict[str, Any]:
    frames = descriptions.frames(db, item.id) if item.kind is Kind.VIDEO else ()
    address = f"/api/v1/items/{item.id}"
    by_model = description is not None and description.source is Source.MODEL
    return {
        "id": item.id,
        "kind": item.kind.value,
        "status": item.status.value,
        "asked": asked,  # false while pending: left for the night
        "name": item.name,
        "description": description.text if description else None,
        "described_by": described_by(description, models) if description else None,
        "tags": [tag.text for tag in tags],
        "tag_sources": {tag.text: tag.source.value for tag in tags},
        "frames": [
            {
                "at": frame.at,
                "text": frame.text,
                "thumbnail": f"{address}/frames/{number}/thumbnail" if frame.thumbnail else None,
            }
            for number, frame in enumerate(frames)
        ],
        "model": description.model if description and by_model else None,
        "error": item.error,
        "sha256": item.sha256,
        "bytes": item.bytes,
        "mime": item.mime,
        "width": item.width,
        "height": item.height,
        "duration": item.duration,
        "taken_at": item.taken_at,
        "file_taken_at": item.file_taken_at,
        "dated": item.dated,  # by a person, who knew better than the file
        "added_at": item.added_at,
        "camera": item.camera,
        "latitude": item.latitude,
        "longitude": item.longitude,
        "favourite": item.favourite,
        "trashed_at": item.trashed_at,
        "live_of": item.live_of,
        "film": film,
        "prepared": item.prepared_at is not None,
        "urls": {
            "original": f"{address}/original",
            "small": f"{address}/thumbnail/small",
            "large": f"{address}/thumbnail/large",
            "page": f"/items/{item.id}",
        },
    }


def model_json(model: ModelInfo | None) -> dict[str, Any] | None:
    """Return what the page needs to know of a model."""
    if model is None:
        return None
    return {"id": model.id, "name": model.name, "sample": model.sample, "notice": model.notice}


def _notice_json(notice: Notice) -> dict[str, Any]:
    # Of the disk's notices, which stand in no table, nobody knows when they began.
    return {name: getattr(notice, name) for name in ("name", "level", "text", "next_step", "dismissible")}


def status_json(db: Connection, box: Box) -> dict[str, Any]:
    """Return counts by status, the queue by state, the pace (seconds an item took lately), and what stands beside.

    That is the forecast, the notices, whether the worker runs, the model, the latest installation, what describing runs
    on and the version.
    """
    summary = status.summary(db)
    found, times = forecast.read(db, box.settings, datetime.now(UTC), box.zone(db))
    return summary | {
        "pace": summary["rate"]["seconds"],
        "forecast": forecast.as_json(found, times),
        "worker": {"running": worker_runs(box.settings.data)},
        "notices": [_notice_json(notice) for notice in notices.standing(db, box)],
        "model": model_json(box.model()),
        "installation": box.installation(),
        "runs_on": noted[1] if (noted := describer.noted(db)) else None,
        "version": __version__,
    }
