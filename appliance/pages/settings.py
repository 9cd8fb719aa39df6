"""The settings page: plain questions with the answers in force, and what this box is. Read-only for now."""

import platform
import shutil
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from appliance import __version__
from appliance.library import items, preferences
from appliance.library.database import Connection
from appliance.pages import words
from appliance.pages.box import Box
from appliance.pages.templates import Templates, html
from appliance.settings import SETTINGS

QUESTIONS = {
    "data": "Where is everything kept?",
    "host": "Which address does the page listen on?",
    "port": "Which port?",
    "upload_limit_mb": "How large may one file be?",
    "threads": "How many processor cores describe?",
    "provider": "What does the describing run on?",
    "hub": "Where do models come from?",
    "model_load_timeout": "How long may a model take to load?",
    "auto_process_on_upload": "Describe photos and videos as they arrive?",
    "scheduled_processing": "Describe what is waiting at night?",
    "batch_size": "How many are described in one night?",
    "processing_timeout": "How long may one photo take?",
    "attempts": "How often is one tried?",
    "retry_delay": "How long to wait before the second try?",
    "video_frames": "How many moments of a video are described?",
    "beams": "How many sentences are weighed for each?",
}


@get("/settings", sync_to_thread=True)
def settings(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        return html(
            templates.page("settings.html", box, db, "settings", box=_facts(box, db), settings=_questions(box, db))
        )


def _questions(box: Box, db: Connection) -> list[dict[str, Any]]:
    """Return each setting as a question with its answer, its names, what it is by default, and its help."""
    in_force = preferences.get(db, box.settings)
    return [
        {
            "question": QUESTIONS.get(setting.name, setting.help),
            "value": answer(setting.name, getattr(in_force, setting.name)),
            "name": setting.name,
            "environment": setting.environment,
            "default": answer(setting.name, setting.default),
            "help": setting.help,
        }
        for setting in SETTINGS
    ]


def answer(name: str, value: object) -> str:
    """Return a setting's value as people say it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if name == "threads" and value == 0:
        return "All of them"
    if name == "upload_limit_mb" and isinstance(value, int):
        return words.size(value << 20)
    if name in {"model_load_timeout", "processing_timeout", "retry_delay"}:
        return f"{value} seconds"
    if name == "attempts":
        return "once" if value == 1 else f"{value} times"
    if name == "provider":
        return {"cpu": "Processor"}.get(str(value), str(value).upper())
    return str(value)


def _facts(box: Box, db: Connection) -> list[tuple[str, str, str]]:
    """Return what this box is: label, value and, where it needs one, a word of help."""
    disk = shutil.disk_usage(box.settings.data)
    model = box.model()
    return [
        ("Shoebox", __version__, ""),
        ("Model", model.name if model else "None", model.notice if model else "Install one to have photos described."),
        ("Photos and videos", words.number(sum(items.counts(db).values())), ""),
        ("Free space", f"{words.size(disk.free)} of {words.size(disk.total)}", "On the card or disk of the library."),
        ("Kept in", str(box.settings.data), "Back up this folder: it holds everything."),
        ("Computer", f"{platform.machine()}, {platform.system()} {platform.release()}", ""),
    ]
