"""What Help takes from the program itself, so that nothing is said twice: settings, checks, metrics, commands."""

from typing import Any

from appliance.device.profile import profile
from appliance.device.release import releases
from appliance.library import preferences
from appliance.library.database import Connection
from appliance.pages import metrics
from appliance.pages.box import Box
from appliance.sentences import say
from appliance.settings import SETTINGS, Setting, text
from appliance.work import fit
from appliance.work.explained import EXPLAINED

# What is typed, and what it does.
COMMANDS: tuple[tuple[str, str], ...] = (
    ("shoebox run", say("the page and the worker under one parent")),
    ("shoebox web, shoebox worker", say("one of the two, for services")),
    ("shoebox rescue", say("a page that says why the page does not start, for services")),
    (
        "shoebox describe FILE…",
        say(
            "a description for each file, without any server; `--prompt TEXT` begins each sentence; exit"
            " status 0 all described, 1 some failed, 2 wrong usage"
        ),
    ),
    (
        "shoebox models list, install, use, verify",
        say("the models: what there is, install one, choose one, check one"),
    ),
    (
        "shoebox bench [--json]",
        say(
            "how quickly this box describes: seconds a photo, tokens a second, memory, temperature, the time"
            " for 10,000 photos"
        ),
    ),
    (
        "shoebox settings list, get NAME, set NAME VALUE",
        say("the settings in force and where each comes from; change one as the settings page does"),
    ),
    (
        "shoebox status [--json] [--watch]",
        say(
            "how far the library is described, what is being described now, what waits and when it is done,"
            " what failed and why; once, or every two seconds"
        ),
    ),
    (
        "shoebox try",
        say("send the running box a drawn scene, say how it is described, and remove it again"),
    ),
    (
        "shoebox screen [--watch]",
        say(
            "the way to the page, with a picture to scan and the code for the first visit, or what to do"
            " without a network: what the image shows on its screen"
        ),
    ),
    (
        "shoebox backup, shoebox restore [FILE]",
        say("back the database up now; go back to the newest good backup, or to that one, while Shoebox is stopped"),
    ),
    (
        "shoebox library new, adopt",
        say(
            "where the library that was in the data folder is gone for good: begin a new one there, or go on"
            " with the one that is there now"
        ),
    ),
    (
        "shoebox key new --name NAME [--scope upload,read], list, revoke N",
        say(
            "access keys for programs, sent as `Authorization: Bearer KEY`; a key is printed once, its hash"
            " alone is kept; works before the first visit, too"
        ),
    ),
    (
        "shoebox account list, reset NAME",
        say(
            "the people who may sign in; a new password for somebody who forgot theirs, and who is signed out"
            " everywhere"
        ),
    ),
    (
        "shoebox queue pause, resume, retry",
        say("describe nothing more for now (uploads and thumbnails go on), go on, try everything again that failed"),
    ),
    (
        "shoebox doctor [--repair] [--explain] [--json]",
        say(
            "look the box over: a line for each check, OK, NOTE (passes by itself) or WRONG, exit status 1"
            " where anything is; `--repair` mends what can be mended, `--explain` says what is looked at and"
            " why"
        ),
    ),
)
BOARD_HEADS = (say("board"), say("threads"), say("variant"), say("sentences weighed"), say("moments of a video"))
BOARDS = (
    (say("Pi 5, 500; Pi 4, 400, CM4 (2 GB or more)"), "4", say("int8"), "1", "8"),
    (say("Pi 3 (1 GB)"), "4", say("int8, often in a way that spares memory"), "1", "4"),
    (say("Zero 2 W (512 MB)"), "4", say("too small for BLIP: the sample and the recogniser"), "1", "4"),
    (say("mini-PC, older PC"), say("one a core, at most 8"), say("int8"), "1", "8"),
    (say("8 cores, dot products and 8 GB or more"), "8", say("int8"), "3", "12"),
)
PLACES = (
    ("/var/lib/shoebox", say("The library: originals, database, backups, models.")),
    ("/var/lib/shoebox-state", say("Which library this box had.")),
    ("/etc/shoebox.toml", say("Settings of the box itself.")),
    ("/opt/shoebox", say("The releases; current leads to the one in use.")),
    ("/var/log/shoebox-setup.log", say("What setup did.")),
)


def of(name: str, box: Box, db: Connection) -> dict[str, Any]:
    """Return what the page of Help called `name` needs beside its words."""
    if name == "settings":
        return {"rows": [_setting(one) for one in SETTINGS]}
    if name == "troubleshooting":
        return {"checks": EXPLAINED}
    if name == "logs":
        return {"metrics": _metrics(box)}
    if name == "card":
        return {"commands": COMMANDS, "places": PLACES}
    if name == "update":
        found = releases()
        return {"release": found.current if found else "", "kept": found.kept if found else ()}
    if name == "hardware":
        board, in_force = profile(), preferences.get(db, box.settings)
        return {
            "boards": BOARDS,
            "machine": board.machine,
            "variant": board.variant,
            "said": fit.full(in_force, board).said,
            "rest_above": in_force.rest_above,
        }
    return {}


def commands_table() -> str:
    """Return README's table of all commands, in Markdown."""
    rows = []
    for usage, meaning in COMMANDS:
        first, *more = usage.split(", ")
        shown = ", ".join(f"`{one}`" for one in (first, *more))
        rows.append(f"| {shown} | {meaning} |")
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def boards_table() -> str:
    """Return README's table of boards, in Markdown."""
    rows = [f"| {' | '.join(row)} |" for row in (BOARD_HEADS, ("---",) * len(BOARD_HEADS), *BOARDS)]
    return "\n".join(rows).replace("| --- | --- | --- | --- | --- |", "|---|---|---|---|---|")


def _setting(one: Setting) -> dict[str, Any]:
    return {
        "name": one.name,
        "environment": one.environment,
        "default": text(one.default),
        "range": one.range,
        "help": one.help,
        "preference": one.preference,
    }


def _metrics(box: Box) -> list[tuple[str, str, str]]:
    """Return each metric's name, labels and help, as this box tells them now."""
    rows = []
    for family in metrics.families(box):
        labels = next((tuple(labels) for _, labels, _ in family.samples), ())
        rows.append((family.name, ", ".join(labels), family.help))
    return rows
