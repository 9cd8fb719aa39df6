"""The command `shoebox doctor`: look everything over, say what is wrong and what to do, mend what can be mended."""

import argparse
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from appliance.errors import LibraryError
from appliance.library import opening
from appliance.sentences import say
from appliance.settings import Settings

if TYPE_CHECKING:
    from appliance.work.finding import Finding


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the command to the subparsers `commands`; `data` has the option that names the library's folder."""
    parser = commands.add_parser("doctor", parents=[data], help="look the box over, and mend what can be mended")
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")
    parser.add_argument("--explain", action="store_true", help="say of each check what it looks at, and why")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(command=_doctor)


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.library.store import Store
    from appliance.work import doctor, vitals
    from appliance.work.finding import Finding

    try:
        with opening.visited(settings) as db:
            patient = vitals.Patient(db, Store(settings.data), settings)
            return 0 if _told(doctor.examine(patient, repair=options.repair), options) else 1
    except LibraryError as error:  # what stands around it is looked at all the same
        if options.json:
            _told([Finding(say("library"), False, error.message, error.next_step)], options)
        _told(doctor.around(settings), options)
        raise


def _told(findings: "Iterable[Finding]", options: argparse.Namespace) -> bool:
    """Print each finding as it is found; return whether all is sound."""
    from appliance.work.explained import EXPLAINED

    sound = True
    for found in findings:
        sound = sound and found.sound
        if options.json:
            print(json.dumps(as_json(found)), flush=True)
            continue
        print(f"{found.verdict:<7}{found.about:<17}{found.text} {found.next_step}".rstrip(), flush=True)
        if options.explain:
            about = EXPLAINED[found.about]
            print(f"{'':<24}{about.what} {about.why}", flush=True)
    return sound


def as_json(found: "Finding") -> dict[str, Any]:
    """Return a finding as `--json` prints it."""
    from appliance.work.explained import EXPLAINED

    about = EXPLAINED[found.about]
    return {
        "about": found.about,
        "title": about.title,
        "verdict": found.verdict.lower(),
        "text": found.text,
        "next_step": found.next_step,
        "what": about.what,
        "why": about.why,
    }
