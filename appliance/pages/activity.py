"""The activity page: what is being described, what waits, what failed, what was done lately, and the nights."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Response, get, route
from litestar.di import NamedDependency

from appliance.library import backups, history, items, jobs, preferences, status
from appliance.library.database import Connection
from appliance.pages import charts, words
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.serialise import items_json, model_json, status_json
from appliance.pages.templates import Templates, html
from appliance.records import ModelInfo, Status
from appliance.work import forecast

SHOWN = 50
LATELY = 12
CHANGES = 500  # an item changes a handful of times on its way, so these reach back far enough
DAYS = 14
NIGHTS = 6  # batches: photos and videos of three nights


@route("/activity", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def activity(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        models = box.known_models()

        def some(wanted: Status) -> list[dict[str, Any]]:
            return items_json(db, items.page(db, status=wanted, limit=SHOWN).items, models)

        days = _days(db, box)
        text = templates.page(
            "activity.html", box, db, "activity",
            now=_now(db, box),
            waiting=some(Status.PENDING),
            failed=some(Status.FAILED),
            done_recently=_lately(db, models),
            asked=jobs.waiting(db),
            forecast=forecast.read(db, box.settings, datetime.now(UTC), box.zone(db))[0],
            days=days,
            by_day=charts.columns([(day["date"], day["described"], words.number(day["described"])) for day in days]),
            by_pace=charts.columns(
                [(day["date"], day["seconds"] or 0.0, words.seconds(day["seconds"])) for day in days]
            ),
            width=charts.WIDTH,
            height=charts.HEIGHT,
            past_nights=_nights(db),
            backup=_backup(box),
        )  # fmt: skip
    return html(text)


@get("/api/v1/activity", sync_to_thread=True)
def activity_now(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer what is being described now, the last fortnight by day, the last nights, the last backup and the status.

    `elapsed` and `deadline` are seconds, the latter of a video for each of its moments; a day's `seconds` is what one
    took on average, null where nothing was.
    """
    with box.library() as db:
        return {
            "now": _now(db, box),
            "days": _days(db, box),
            "nights": _nights(db),
            "backup": _backup(box),
            "model": model_json(box.model()),
            "status": status_json(db, box),
        }


def _now(db: Connection, box: Box) -> list[dict[str, Any]]:
    """Return the items being described, each with the seconds it has taken so far and its deadline."""
    found = items_json(db, items.page(db, status=Status.PROCESSING, limit=SHOWN).items, box.known_models())
    begun = {number: since for number, _, since in status.under_way(db)}
    now = time.time()
    limit = preferences.get(db, box.settings).processing_timeout
    for item in found:
        since = begun.get(item["id"])
        item["elapsed"] = None if since is None else max(0, int(now - since))
        item["deadline"] = limit
    return found


def _days(db: Connection, box: Box) -> list[dict[str, Any]]:
    """Return the last DAYS days in the household's zone, the oldest first: how many, how long one took."""
    zone = box.zone(db)
    today = datetime.now(zone).date()
    found = {today - timedelta(days=ago): [0, 0] for ago in reversed(range(DAYS))}
    since = datetime.now(UTC) - timedelta(days=DAYS + 1)
    for hour in history.hours(db, f"{since:%Y-%m-%dT%H}"):
        day = datetime.strptime(f"{hour.hour}+0000", "%Y-%m-%dT%H%z").astimezone(zone).date()
        if day in found:
            found[day][0] += hour.count
            found[day][1] += hour.milliseconds
    return [
        {
            "date": day.isoformat(),
            "described": count,
            "seconds": round(milliseconds / count / 1000, 3) if count else None,
        }
        for day, (count, milliseconds) in found.items()
    ]


def _nights(db: Connection) -> list[dict[str, Any]]:
    """Return the last batches, the newest first; what is neither described nor failed was `left`, or is under way."""
    return [
        {
            "night": one.night,
            "kind": one.kind.value,
            "asked": one.asked,
            "described": one.described,
            "failed": one.failed,
            "left": max(0, one.asked - one.described - one.failed),
        }
        for one in history.nights(db, NIGHTS)
    ]


def _backup(box: Box) -> str | None:
    """Return when the newest backup was made."""
    newest = next(iter(backups.listed(box.settings.data)), None)
    return None if newest is None else f"{backups.made_at(newest).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _lately(db: Connection, models: dict[str, ModelInfo]) -> list[dict[str, Any]]:
    """Return the items described last, the newest first."""
    changed, _ = items.changes_since(db, max(items.revision(db) - CHANGES, 0), CHANGES)
    done = [
        item
        for item in reversed(changed)
        if item.status is Status.COMPLETED and item.trashed_at is None and item.live_of is None
    ]
    return items_json(db, done[:LATELY], models)
