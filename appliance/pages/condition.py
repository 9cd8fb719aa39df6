"""How the box is: the page of its sensors, disk, card, clock and versions, with its warmth of the last hours."""

import asyncio
import platform
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from litestar import Response, get, route
from litestar.di import NamedDependency

from appliance import __version__
from appliance.device.release import releases
from appliance.device.temperature import temperature
from appliance.library import database, describer
from appliance.library.database import Connection, instant
from appliance.pages import charts
from appliance.pages.access import needs
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope
from appliance.work import hardware
from appliance.work.vitals import Patient, vitals

EVERY_SECONDS = 60.0
HOURS = 12
_COOLEST, _WARMEST = 20.0, 90.0  # °C, where the chart ends
# Of these packages one each is installed.
_PACKAGES = {
    "ONNX Runtime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
    "PyAV": ("av",),
    "Pillow": ("pillow",),
}


class Warmth:
    """What the sensor told once a minute; kept in memory, as a card would wear by it."""

    def __init__(self) -> None:
        self.samples: deque[tuple[float, float]] = deque(maxlen=int(HOURS * 3600 / EVERY_SECONDS))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look at the sensor as long as the block runs."""
        watching = asyncio.get_running_loop().create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            degrees = await asyncio.to_thread(temperature)
            if degrees is not None:  # one sample that could not be read is no reason to look no more
                self.samples.append((time.time(), degrees))
            await asyncio.sleep(EVERY_SECONDS)


@route("/settings/box", http_method=GET, opt=needs(Scope.ADMIN), sync_to_thread=True)  # type: ignore[arg-type]
def condition_page(
    box: NamedDependency[Box], templates: NamedDependency[Templates], warmth: NamedDependency[Warmth]
) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        told = _told(db, box, warmth)
        samples = list(warmth.samples)
        text = templates.page(
            "settings_box.html", box, db, "settings", **told, line=_line(samples),
            width=charts.WIDTH, height=charts.HEIGHT, hours=HOURS,
        )  # fmt: skip
    return html(text)


@get("/api/v1/condition", opt=needs(Scope.ADMIN), sync_to_thread=True)
def condition(box: NamedDependency[Box], warmth: NamedDependency[Warmth]) -> dict[str, Any]:
    """Answer what each check finds, the versions, and the warmth (°C) of the last hours."""
    with box.library() as db:
        return _told(db, box, warmth)


def _told(db: Connection, box: Box, warmth: Warmth) -> dict[str, Any]:
    noted = describer.noted(db)
    return {
        "findings": [
            {"about": one.about, "verdict": one.verdict.lower(), "text": one.text, "next_step": one.next_step}
            for one in vitals(Patient(db, box.store, box.settings))
        ],
        "versions": _versions(db),
        "runs_on": noted[1] if noted else None,
        "providers": list(hardware.providers()),
        "warmth": [{"at": instant(at), "degrees": round(degrees, 1)} for at, degrees in warmth.samples],
    }


def _versions(db: Connection) -> dict[str, str]:
    found = {"Shoebox": __version__}
    if (there := releases()) is not None:
        found["Release"] = there.current
    found |= {"Python": platform.python_version(), "SQLite": database.sqlite_version(db)}
    for name, packages in _PACKAGES.items():
        for package in packages:
            with suppress(PackageNotFoundError):
                found[name] = version(package)
    return found | {"System": f"{platform.system()} {platform.release()}"}


def _line(samples: list[tuple[float, float]]) -> str:
    end = samples[-1][0] if samples else 0.0
    begun = end - HOURS * 3600
    return charts.line(
        [((at - begun) / (end - begun), min(max(degrees, _COOLEST), _WARMEST)) for at, degrees in samples],
        _COOLEST,
        _WARMEST,
    )
