"""How the box is, for monitors: alive, ready, and in numbers."""

import os
from typing import Any

from litestar import Response, route
from litestar.di import NamedDependency

from appliance import __version__
from appliance.errors import LibraryError, StorageFullError
from appliance.library import items, status
from appliance.pages.box import Box
from appliance.pages.head import GET

LEAST_FREE_BYTES = 1 << 20


@route("/health/live", http_method=GET, sync_to_thread=False)  # type: ignore[arg-type]
def live() -> dict[str, str]:
    """Answer that the page's process runs."""
    return {"status": "ok"}


@route("/health/ready", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def ready(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer 200 where uploads can be taken in, else 503, or 507 for a full disk, and the reason."""
    with box.library() as db:
        items.counts(db)
    check_writable(box)
    return {"status": "ok"}


def check_writable(box: Box) -> None:
    """Raise LibraryError where the data folder cannot be written to; writes nothing itself, to spare the card."""
    data = box.settings.data
    disk = os.statvfs(data)
    if disk.f_flag & os.ST_RDONLY or not os.access(data, os.W_OK):
        raise LibraryError("The data folder cannot be written to.", "Check the card or disk; it may be wearing out.")
    if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES:
        raise StorageFullError("The card or disk is full.", "Make room; Shoebox then goes on by itself.")


@route("/metrics", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def metrics(box: NamedDependency[Box]) -> Response[str]:
    """Answer the numbers in Prometheus' text format."""
    with box.library() as db:
        summary = status.summary(db)
    disk = os.statvfs(box.settings.data)
    rate = summary["rate"]
    lines = [
        *_gauge("shoebox_items", "Photos and videos by status.", "status", summary["counts"]),
        *_gauge("shoebox_jobs", "Jobs by state.", "state", summary["queue"]),
        *_gauge("shoebox_paused", "Whether describing is paused.", "", {"": int(summary["paused"])}),
        *_gauge(
            "shoebox_described_recently", f"Items described in {rate['minutes']} minutes.", "", {"": rate["described"]}
        ),
        *_gauge("shoebox_described_seconds", "Mean seconds an item took lately.", "", {"": rate["seconds"]}),
        *_gauge("shoebox_free_bytes", "Free bytes on the library's disk.", "", {"": disk.f_bavail * disk.f_frsize}),
        *_gauge("shoebox_info", "Which Shoebox this is.", "version", {__version__: 1}),
    ]
    text = "\n".join(lines) + "\n"
    return Response(text, media_type="text/plain; version=0.0.4")


def _gauge(name: str, help_text: str, label: str, values: dict[str, float | None]) -> list[str]:
    """Return one metric's lines; a value that is not known is left out."""
    lines = [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
    for key, value in values.items():
        if value is not None:
            mark = f'{{{label}="{key}"}}' if label else ""
            lines.append(f"{name}{mark} {value}")
    return lines
