"""The settings page and its API: plain questions with the answers in force, changing them, and what this box is."""

import asyncio
import platform
import shutil
from collections.abc import Collection
from hashlib import sha256
from typing import Any

import msgspec
from litestar import Request, Response, get, patch, post, route
from litestar.di import NamedDependency
from litestar.response import Redirect

from appliance import __version__
from appliance.device import service
from appliance.device.profile import profile
from appliance.errors import SettingsError
from appliance.library import describer, items, preferences
from appliance.library.database import Connection, transaction
from appliance.pages import questions, words
from appliance.pages.access import needs
from appliance.pages.body import form_fields, form_values, whole
from appliance.pages.box import Box
from appliance.pages.errors import ChangedMeanwhileError, RefusedSettingsError, RequestError
from appliance.pages.etags import fits
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope
from appliance.sentences import say
from appliance.settings import SETTINGS, Setting, Settings
from appliance.work import fit

LARGEST_BODY = 64 << 10
MOST_FIELDS = 100
# Pages that stand under a heading of this one, each with what is there.
LINKS = {
    say("Model"): (("/settings/models", say("Models"), say("Install, try, check and choose what describes.")),),
    say("Library"): (("/settings/backups", say("Backups"), say("Make one now, download one, go back to one.")),),
    say("People and devices"): (
        ("/people", say("People"), say("Who may look, add and change, and with which devices.")),
        ("/account", say("Your account"), say("Your password, and where you are signed in.")),
    ),
    say("Box"): (
        (
            "/settings/doctor",
            say("Is something wrong?"),
            say("The box looks itself over, says why, and mends what it can."),
        ),
        ("/settings/box", say("How the box is"), say("Room, warmth, power, memory, clock and versions.")),
        ("/settings/logs", say("Notes"), say("What the box wrote down in the last hour.")),
        ("/help", say("Help"), say("How to install, update, back up, and what to do when something is wrong.")),
    ),
}


# Async, with the thread asked for by hand: where a path has two methods, Litestar 2.25 would not await its own wrapper.
@route("/settings", http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def settings(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the page."""
    saved = request.query_params.get("saved", "")
    return await asyncio.to_thread(_page, box, templates, saved=saved)


@post("/settings", opt=needs(Scope.ADMIN), request_max_body_size=LARGEST_BODY)
async def save(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[Any]:
    """Take in the page's form: all its answers, or none where one of them cannot be used.

    Where somebody changed one since that page was shown, it is shown again, with what was typed still in it.
    """
    typed, expected = _fields(await whole(request))
    return await asyncio.to_thread(_save, box, templates, typed, expected)


@post("/settings/reset", opt=needs(Scope.ADMIN), request_max_body_size=LARGEST_BODY)
async def reset(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Redirect:
    """Put the answer that the form's `reset` names back to what it would be, or `all` of them."""
    fields = form_fields(await whole(request), MOST_FIELDS)
    return await asyncio.to_thread(_reset, box, fields.get("reset", ""))


@get("/api/v1/settings", opt=needs(Scope.ADMIN))
async def listing(box: NamedDependency[Box]) -> Response[dict[str, Any]]:
    """Answer every setting: what it asks, its value, its default and what is allowed.

    With an ETag of all that can be changed, for `If-Match` of a change.
    """
    return await asyncio.to_thread(_listing, box)


@patch("/api/v1/settings", opt=needs(Scope.ADMIN), request_max_body_size=LARGEST_BODY)
async def change(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response[dict[str, Any]]:
    """Change the settings in the JSON object `{name: value}`, all or none; null puts one back. Answer them all.

    With `If-Match` only where nobody has changed any since that ETag was read.
    """
    try:
        values = msgspec.json.decode(await whole(request), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RequestError("The body is not a JSON object.", 'Send {"name": value}.') from None
    return await asyncio.to_thread(_change, box, values, request.headers.get("if-match"))


def _fields(body: bytes) -> tuple[dict[str, str], str | None]:
    """Return what the form's fields hold, and the ETag of what it was shown with (None where it has none).

    Raises RequestError where that is no form of this page.
    """
    found = form_values(body, MOST_FIELDS)
    found.pop("csrf", None)
    expected = found.pop("etag")[-1] if "etag" in found else None
    unknown = sorted(set(found) - set(preferences.PREFERENCES))
    if unknown:
        raise RequestError(
            "{unknown} cannot be changed here.", "Open the settings page again.", unknown=unknown[0][:40]
        )
    # The days' boxes share one name, with an empty one among them: without it, no day would be no answer.
    typed = {
        name: ",".join(filter(None, values)) if preferences.PREFERENCES[name].form == "days" else values[-1]
        for name, values in found.items()
    }
    return typed, expected


def _save(box: Box, templates: Templates, typed: dict[str, str], expected: str | None) -> Response[Any]:
    with box.library() as db:
        with transaction(db):
            in_force = preferences.get(db, box.settings)
            good, refused = preferences.check(typed, in_force)
            now = _etag(in_force, preferences.stored(db))
            late = not fits(expected, now)
            # What was left as it was stays with the file and the environment.
            changed = {name: value for name, value in good.items() if value != getattr(in_force, name)}
            if not (late or refused):
                preferences.set_all(db, changed)
        if late or refused:
            return _page(box, templates, typed=typed, refused=refused, late=late, etag=now)
    return Redirect(f"/settings?saved={len(changed)}", status_code=303)


def _reset(box: Box, name: str) -> Redirect:
    with box.library() as db:
        names = list(preferences.PREFERENCES) if name == "all" else [name]
        _require_agreement(box, db, {}, names)
        preferences.reset(db, names)
    return Redirect("/settings?saved=reset", status_code=303)


def _change(box: Box, values: dict[str, Any], expected: str | None) -> Response[dict[str, Any]]:
    with box.library() as db, transaction(db):
        if not fits(expected, _etag(preferences.get(db, box.settings), preferences.stored(db))):
            raise ChangedMeanwhileError(
                "Somebody changed the settings in the meantime.",
                "Look at what is there now, and send yours once more if it is to stand.",
            )
        back = [name for name, value in values.items() if value is None]
        good = _require_agreement(box, db, {name: values[name] for name in values if name not in back}, back)
        preferences.reset(db, back)
        preferences.set_all(db, good)
    return _listing(box)


def _etag(in_force: Settings, stored: Collection[str]) -> str:
    """Return what tells one state of the answers from every other.

    It is made of those alone that can be changed here: none of them is a secret.
    """
    answers = [(name, getattr(in_force, name), name in stored) for name in preferences.PREFERENCES]
    return f'"{sha256(msgspec.json.encode(answers)).hexdigest()[:16]}"'


def _require_agreement(
    box: Box, db: Connection, values: dict[str, Any], back: list[str]
) -> dict[str, bool | int | str]:
    """Return the values as they are stored; raise RefusedSettingsError where one cannot be used.

    They are checked together with what is in force, and with what putting `back` these names gives.
    """
    again = {name: getattr(box.settings, name) for name in back if name in preferences.PREFERENCES}
    unknown = {name: None for name in back if name not in again}
    good, refused = preferences.check(values | again | unknown, preferences.get(db, box.settings))
    if refused:
        first = next(iter(refused.values()))
        raise RefusedSettingsError(first.message, first.next_step, refused)
    return {name: good[name] for name in values}


def _page(
    box: Box,
    templates: Templates,
    *,
    saved: str = "",
    typed: dict[str, str] | None = None,
    refused: dict[str, SettingsError] | None = None,
    late: bool = False,
    etag: str = "",
) -> Response[str]:
    """Return the page; with what was `typed` where that was `refused`, or came too `late` after another's change.

    `etag` is that of the answers that the form goes by, "" for those that are in force now.
    """
    with box.library() as db:
        in_force = preferences.get(db, box.settings)
        chosen = fit.chosen(in_force, profile())
        text = templates.page(
            "settings.html", box, db, "settings",
            groups=questions.groups(in_force, box.settings, typed or {}, refused or {}, chosen),
            changed=any(getattr(in_force, name) != getattr(box.settings, name) for name in preferences.PREFERENCES),
            fixed=questions.fixed(in_force, chosen),
            links=LINKS,
            orders=service.orders(),
            zones=questions.zones(),
            own_zone=box.own_zone.key,
            saved=saved,
            refused=len(refused or {}),
            late=late,
            etag=etag or _etag(in_force, preferences.stored(db)),
            box=_facts(box, db),
        )  # fmt: skip
    return html(text, 412 if late else 422 if refused else 200)


def _listing(box: Box) -> Response[dict[str, Any]]:
    with box.library() as db:
        in_force, stored = preferences.get(db, box.settings), preferences.stored(db)
    chosen = fit.chosen(in_force, profile())
    told = [
        _told(setting)
        | {"value": _plain(setting, getattr(in_force, setting.name)), "stored": setting.name in stored}
        | ({"chosen": chosen[setting.name]} if setting.name in chosen else {})
        for setting in SETTINGS
    ]
    return Response({"settings": told}, headers={"ETag": _etag(in_force, stored)})


def _told(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "question": questions.QUESTIONS[setting.name],
        "help": say(setting.help),
        "type": {bool: "boolean", int: "integer"}.get(type(setting.default), setting.form.replace("plain", "text")),
        "default": setting.default,
        "range": setting.range,
        "minimum": setting.minimum,
        "maximum": setting.maximum,
        "choices": list(setting.choices),
        "environment": setting.environment,
        "changeable": setting.preference,
    }


def _plain(setting: Setting, value: object) -> object:
    if setting.secret:
        return ""
    return value if isinstance(value, bool | int) else str(value)


def _facts(box: Box, db: Connection) -> list[tuple[str, str, str]]:
    """Return what this box is: label, value and, where it needs one, a word of help."""
    disk = shutil.disk_usage(box.settings.data)
    model = box.model()
    return [
        ("Shoebox", __version__, ""),
        (
            say("Model"),
            model.name if model else say("None"),
            model.notice if model else say("Install one to have photos described."),
        ),
        (say("Describing runs on"), noted[1] if (noted := describer.noted(db)) else say("Nothing yet"), ""),
        (say("Photos and videos"), words.number(sum(items.counts(db).values())), ""),
        (
            say("Free space"),
            say("{free} of {total}", free=words.size(disk.free), total=words.size(disk.total)),
            say("On the card or disk of the library."),
        ),
        (say("Kept in"), str(box.settings.data), say("Back up this folder: it holds everything.")),
        (
            say("Computer"),
            f"{platform.machine()}, {platform.system()} {platform.release()}",
            say("{machine}.", machine=profile().machine),
        ),
    ]
