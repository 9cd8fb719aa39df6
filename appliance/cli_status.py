"""The command `shoebox status`: how the box stands, once or every two seconds. Reads only, and needs no server."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance.errors import StorageError
from appliance.library import describer, notices, opening, preferences, status
from appliance.library.store import Store
from appliance.records import Kind
from appliance.sentences import both, counted, joined, say
from appliance.settings import Settings

EVERY = 2.0  # seconds
_HOME_AND_CLEAR = "\033[H\033[J"


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the command to the subparsers `commands`; `data` has the option that names the library's folder."""
    parser = commands.add_parser("status", parents=[data], help="how far the library is described")
    parser.add_argument("--json", action="store_true", help="as one JSON object a line")
    parser.add_argument("--watch", action="store_true", help="again every two seconds, until Ctrl-C")
    parser.set_defaults(command=_status)


def _status(settings: Settings, options: argparse.Namespace) -> int:
    try:
        while True:
            found = read(settings)
            text = json.dumps(found) if options.json else "\n".join(lines(found))
            redrawn = options.watch and not options.json and sys.stdout.isatty()
            apart = "\n" if options.watch and not options.json else ""
            print(f"{_HOME_AND_CLEAR}{text}" if redrawn else f"{text}{apart}", flush=True)
            if not options.watch:
                return 0
            time.sleep(EVERY)
    except KeyboardInterrupt:  # the way to end the watching
        return 0


def read(settings: Settings) -> dict[str, Any]:
    """Return how the box stands, as `--json` prints it; raises LibraryError where there is no library."""
    from appliance.device import clock
    from appliance.device.profile import profile
    from appliance.modelstore import installed
    from appliance.work import fit, forecast
    from appliance.work.lock import worker_runs

    with opening.visited(settings) as db:
        wanted = preferences.get(db, settings)
        zone = ZoneInfo(wanted.time_zone) if wanted.time_zone else clock.household_zone()
        asked, left = status.waiting(db)
        now = time.time()
        found = {
            **status.summary(db),
            "waiting": {"asked": _plural(asked), "left": _plural(left)},
            "paces": _plural(status.paces(db)),
            "now": [
                {"item": item, "kind": kind, "seconds": round(max(0.0, now - since), 1)}
                for item, kind, since in status.under_way(db)
            ],
            "forecast": forecast.as_json(*forecast.read(db, settings, datetime.now(UTC), zone)),
            "runs_on": noted[1] if (noted := describer.noted(db)) else None,
            "notices": [
                {"name": one.name, "text": one.text, "next_step": one.next_step} for one in notices.standing(db)
            ],
        }
    try:
        Store(settings.data).check()
    except StorageError as error:  # nobody can write that down
        found["notices"].insert(0, {"name": "disk", "text": error.message, "next_step": error.next_step})
    model, board = installed.in_use(settings.data / "models"), profile()
    return {
        **found,
        "time_zone": zone.key,
        "board": {"machine": board.machine, "variant": board.variant, "describing": fit.full(wanted, board).said},
        "free_bytes": shutil.disk_usage(settings.data).free,
        "worker": {"running": worker_runs(settings.data)},
        "model": {"id": model.id, "name": model.name, "sample": model.sample, "notice": model.notice},
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return what `read` found, for people."""
    told = [f"{name:<12}{count:>8}" for name, count in found["counts"].items()]
    told += [f"{'':<12}{count:>8}  {reason}" for reason, count in found["failures"].items()]
    told.append("")
    if not found["worker"]["running"]:
        told.append(say("The worker does not run: nothing is described until it is started."))
    if found["paused"]:
        told.append(say("Describing is paused. Go on with `shoebox queue resume`."))
    told += [
        say("Now: {kind} {item}, for {span} so far.", kind=one["kind"], item=one["item"], span=_span(one["seconds"]))
        for one in found["now"]
    ]
    told += _waiting(found)
    told += [f"{one['text']} {one['next_step']}".rstrip() for one in found["notices"]]
    told.append(say("Free: {free:.1f} GB", free=found["free_bytes"] / 1e9))
    told.append(
        say(
            "Board: {machine}: {variant}, {describing}.",
            machine=found["board"]["machine"],
            variant=found["board"]["variant"],
            describing=found["board"]["describing"],
        )
    )
    name, id, provider = found["model"]["name"], found["model"]["id"], found["runs_on"]
    with_provider = say("Model: {name} ({id}), on {provider}", name=name, id=id, provider=provider)
    told.append(with_provider if provider else say("Model: {name} ({id})", name=name, id=id))
    if found["model"]["notice"]:
        told.append(found["model"]["notice"])
    return told


def _waiting(found: Mapping[str, Any]) -> list[str]:
    told: list[str] = []
    forecast, waiting = found["forecast"], found["waiting"]
    paces = {kind: _span(seconds) for kind, seconds in found["paces"].items() if seconds is not None}
    each = [
        say("{span} a photo", span=span) if kind == "photos" else say("{span} a video", span=span)
        for kind, span in paces.items()
    ]
    if each:
        told.append(say("Pace: {paces}.", paces=joined(each, ", ")))
    if sum(waiting["asked"].values()):
        done = say(", done in about {span}", span=_span(forecast["seconds"])) if forecast["seconds"] is not None else ""
        told.append(say("Waiting now: {counted}{done}.", counted=_counted(waiting["asked"]), done=done))
    if sum(waiting["left"].values()):
        nights = forecast["nights"]
        done = ""
        if nights:
            done = counted(
                ", done in {count} night, by {until}",
                ", done in {count} nights, by {until}",
                nights,
                until=forecast["until"],
            )
        told.append(say("Left for the night: {counted}{done}.", counted=_counted(waiting["left"]), done=done))
    if forecast["next"]:
        begins = {kind: f"{datetime.fromisoformat(at):%a %d %b %H:%M}" for kind, at in forecast["next"].items()}
        times = [
            say("photos {at}", at=at) if kind == "photos" else say("videos {at}", at=at) for kind, at in begins.items()
        ]
        zone = found["time_zone"]
        told.append(say("Next night: {times} ({time_zone}).", times=joined(times, ", "), time_zone=zone))
    else:
        told.append(say("Nothing is described at night."))
    return told


def _plural(counts: Mapping[Kind, Any]) -> dict[str, Any]:
    return {f"{kind}s": count for kind, count in counts.items()}


def _counted(counts: Mapping[str, int]) -> str:
    return both(
        counted("{count} photo", "{count} photos", count)
        if kind == "photos"
        else counted("{count} video", "{count} videos", count)
        for kind, count in counts.items()
        if count
    )


def _span(seconds: float) -> str:
    if seconds < 10:
        return say("{seconds:.1f} s", seconds=max(seconds, 0.1))
    if seconds < 90:
        return say("{seconds:.0f} s", seconds=seconds)
    if seconds < 5400:
        return say("{minutes:.0f} min", minutes=seconds / 60)
    return say("{hours:.1f} h", hours=seconds / 3600)
