"""The command `shoebox bench`: how quickly this box describes, and what that means for a library."""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from appliance.assets import asset
from appliance.sentences import counted, say
from appliance.settings import Settings

LIBRARY = 10_000  # photos, for which the time is told


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the command to the subparsers `commands`; `data` has the option that names the library's folder."""
    parser = commands.add_parser("bench", parents=[data], help="measure how quickly this box describes")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(command=_bench)


def _bench(settings: Settings, options: argparse.Namespace) -> int:
    found = measured(settings)
    print(json.dumps(found) if options.json else "\n".join(_lines(found, settings)))
    return 0


def measured(settings: Settings) -> dict[str, Any]:
    """Describe the shipped photographs with the model in use, in the process that does so every day.

    Return seconds, tokens a second, the process's peak memory in bytes, °C before and after (None where this computer
    does not tell). Raises what describing does.
    """
    from appliance.caption.tokenizer import Tokenizer
    from appliance.device.temperature import temperature
    from appliance.modelstore import installed
    from appliance.records import Described, Kind
    from appliance.work.child import Child
    from appliance.work.fit import rungs

    pictures = sorted(asset("models/pictures").glob("*.jpg"))
    with Child(settings) as child:
        fit = rungs(settings, child.board)[0]
        warm = temperature()
        child.describe(pictures[0], Kind.PHOTO, None, fit=fit)  # loads, and warms up
        described: dict[str, Described] = {}
        for picture in pictures:
            if sys.stderr.isatty():
                print(f"\r{len(described) + 1} of {len(pictures)}\r", end="", file=sys.stderr, flush=True)
            described[picture.stem] = child.describe(picture, Kind.PHOTO, None, fit=fit)
        peak = _peak(child.pid)
        loaded = child.loaded
        hot = temperature()
    model = installed.find(settings.data / "models", loaded.model if loaded else fit.model or "")
    tokenizer = Tokenizer.load(Path(model.folder) / "tokenizer.json")
    seconds = [one.seconds for one in described.values()]
    # What ends a sentence is a token, too.
    by_model = [one for one in described.values() if one.model == model.id]  # the others are the recogniser's words
    tokens = sum(len(tokenizer.encode(one.text)) + 1 for one in by_model)
    return {
        "model": model.id,
        "provider": loaded.provider if loaded else "",
        "threads": fit.threads,
        "sentences": fit.beams,
        "cores": os.cpu_count(),
        "pictures": [
            {"name": name, "seconds": round(one.seconds, 3), "description": one.text} for name, one in described.items()
        ],
        "seconds": round(statistics.median(seconds), 3),
        "least_seconds": round(min(seconds), 3),
        "most_seconds": round(max(seconds), 3),
        "tokens_a_second": round(tokens / max(sum(one.seconds for one in by_model), 1e-9), 1),
        "peak_bytes": peak,
        "celsius_before": warm,
        "celsius_after": hot,
        "library_photos": LIBRARY,
        "library_seconds": round(statistics.fmean(seconds) * LIBRARY),
    }


def _peak(pid: int | None) -> int | None:
    """Return the most memory that the process ever held, in bytes, None where that cannot be read."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return None


def _lines(found: dict[str, Any], settings: Settings) -> list[str]:
    told = [f"{one['name']:<12}{one['seconds']:>7.2f} s  {one['description']}" for one in found["pictures"]]
    told.append("")
    threads = counted("{count} thread", "{count} threads", found["threads"])
    model, provider = found["model"], found["provider"]
    told.append(say("Model:        {model} on {provider}, {threads}", model=model, provider=provider, threads=threads))
    least, most = found["least_seconds"], found["most_seconds"]
    pace = say(
        "A photo:      {seconds:.2f} s ({least:.2f} to {most:.2f} s)", seconds=found["seconds"], least=least, most=most
    )
    tokens = found["tokens_a_second"]
    told += [pace, say("Tokens:       {tokens:.0f} a second, looking at the photo included", tokens=tokens)]
    if found["peak_bytes"] is not None:
        told.append(say("Memory:       {peak:.0f} MB at most", peak=found["peak_bytes"] / 1e6))
    if found["celsius_after"] is not None:
        before, after = found["celsius_before"], found["celsius_after"]
        told.append(say("Temperature:  {before:.0f} °C before, {after:.0f} °C after", before=before, after=after))
    photos, seconds, batch = found["library_photos"], found["library_seconds"], settings.batch_size
    told.append(
        counted(
            "{photos:,} photos take about {span} of describing: {count} night of {batch:,}, of about {each} each.",
            "{photos:,} photos take about {span} of describing: {count} nights of {batch:,}, of about {each} each.",
            -(-photos // batch),
            photos=photos,
            span=_span(seconds),
            batch=batch,
            each=_span(seconds / photos * batch),
        )
    )
    return told


def _span(seconds: float) -> str:
    if seconds < 90:
        return say("{seconds:.0f} seconds", seconds=seconds)
    if seconds < 5400:
        return say("{minutes:.0f} minutes", minutes=seconds / 60)
    return say("{hours:.1f} hours", hours=seconds / 3600)
