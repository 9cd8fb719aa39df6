"""`GET /metrics`: the box in numbers, for Prometheus. Reads only."""

import os
import time
from itertools import product

from litestar import Response, route
from litestar.di import NamedDependency

from appliance import __version__
from appliance.device.board import board
from appliance.library import backups, counters, describer, measures, pause, status
from appliance.library.database import Connection
from appliance.pages import exposition, notices
from appliance.pages.box import Box
from appliance.pages.exposition import Family
from appliance.pages.head import GET
from appliance.records import Kind, Notice, Status, Task
from appliance.work.lock import worker_runs


@route("/metrics", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def metrics(box: NamedDependency[Box]) -> Response[str]:
    """Answer the numbers in Prometheus' text format."""
    return Response(exposition.text(families(box)), media_type=exposition.MEDIA_TYPE)


def families(box: Box) -> list[Family]:
    """Return all that is told, as it is now."""
    with box.library() as db:
        told = [*_library(db), *_queue(db, time.time()), *_describing(db)]
        standing = notices.standing(db, box)
        noted = describer.noted(db)
    return [*told, *_box(box, standing, noted[1] if noted else "")]


def _library(db: Connection) -> list[Family]:
    items = Family("shoebox_items", "Photos and videos by status.")
    counted = measures.items(db)
    for state, kind in product(Status, Kind):
        items.add(counted.get((state, kind), 0), status=state, kind=kind)
    failed = Family("shoebox_items_failed", "Items that could not be described, by reason.")
    for reason, count in status.failures(db).items():
        failed.add(count, reason=reason)
    return [items, failed]


def _queue(db: Connection, now: float) -> list[Family]:
    jobs = Family("shoebox_jobs", "Jobs waiting and under way.")
    counted = measures.open_jobs(db)
    for task, state in product(Task, ("queued", "running")):
        jobs.add(counted.get((task, state), 0), task=task, state=state)
    oldest = measures.oldest_queued(db)
    return [
        jobs,
        Family("shoebox_oldest_job_seconds", "How long the job has waited that waits longest; 0 where none does.").add(
            0.0 if oldest is None else max(0.0, now - oldest)
        ),
        Family("shoebox_paused", "Whether describing is paused.").add(pause.is_paused(db)),
    ]


def _describing(db: Connection) -> list[Family]:
    took = Family("shoebox_describe_seconds", "Seconds that describing one item took.", "summary")
    done = measures.described(db)
    for kind in Kind:
        of_kind = done.get(kind, measures.Described())
        took.add(of_kind.seconds, "_sum", kind=kind).add(of_kind.count, "_count", kind=kind)
    restarts = Family(
        "shoebox_child_restarts_total", "How often the process that describes had to be replaced.", "counter"
    )
    counted = dict.fromkeys(("deadline", "child-died", "memory"), 0) | counters.counts(db, counters.CHILD_RESTARTS)
    for reason, count in counted.items():
        restarts.add(count, reason=reason)
    return [took, restarts]


def _box(box: Box, standing: list[Notice], provider: str = "") -> list[Family]:
    disk = os.statvfs(box.settings.data)
    model = box.model()
    computer = board()
    said = Family("shoebox_notices", "What the box says of itself on every page.")
    for notice in standing:
        said.add(1, name=notice.name, level=notice.level)
    newest = next(iter(backups.listed(box.settings.data)), None)
    return [
        Family("shoebox_worker_up", "Whether the worker runs.").add(worker_runs(box.settings.data)),
        Family("shoebox_free_bytes", "Free bytes on the library's disk.").add(disk.f_bavail * disk.f_frsize),
        Family("shoebox_memory_available_bytes", "Memory that is not in use.").add(computer.memory_available),
        Family("shoebox_temperature_celsius", "Temperature of the processor.").add(computer.temperature),
        Family("shoebox_throttled", "Whether the processor is slowed down by heat or low voltage.").add(
            computer.power.slowed
        ),
        said,
        Family("shoebox_backup_age_seconds", "Age of the newest backup of the database.").add(
            None if newest is None else max(0.0, time.time() - backups.made_at(newest).timestamp())
        ),
        Family("shoebox_info", "Which Shoebox this is, which model is in use, and what describing ran on last.").add(
            1, version=__version__, model=model.id if model else "", provider=provider
        ),
    ]
