"""Help: the pages that the box itself serves to whoever is signed in, with nothing that needs the Internet."""

from dataclasses import dataclass

from litestar import Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from appliance.errors import NotFoundError
from appliance.pages import help_tables
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of Help: its place in the address, its title, what stands there."""

    name: str
    title: str
    about: str


TOPICS: dict[str, tuple[Topic, ...]] = {
    "When something is wrong": (
        Topic("troubleshooting", "Troubleshooting", "What you see, what it means, what to do."),
        Topic("logs", "Notes and monitoring", "What the box writes down, and how to watch it."),
        Topic("backup", "Backup and restore", "What to copy, how to go back, how to move to another box."),
    ),
    "Get it going": (
        Topic("install", "Install", "On a computer that runs Debian or Raspberry Pi OS."),
        Topic("flash", "Flash a card", "A card for a Raspberry Pi that starts by itself."),
        Topic("hardware", "Which computer", "Boards, memory and disks, and what they do."),
        Topic("tuning", "Tuning", "Threads, models and nights, board by board."),
        Topic("gpu", "Graphics cards", "A host with a card that describes many a second."),
    ),
    "Look after it": (
        Topic("update", "Update", "A new release, by network or USB stick, and the way back."),
        Topic("security", "Security", "What is open, what is kept, what to do."),
        Topic("settings", "Every setting", "Names, defaults and ranges."),
        Topic("uninstall", "Uninstall", "Take Shoebox away and keep the photos."),
    ),
    "To look things up": (
        Topic("card", "Reference card", "All that one types, on a page to print."),
        Topic("api", "For programs", "Everything the page does, for programs."),
    ),
}
_KNOWN = {topic.name: topic for topics in TOPICS.values() for topic in topics if topic.name != "api"}


@route("/help", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def overview(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the list of all pages of Help."""
    with box.library() as db:
        return html(templates.page("help/overview.html", box, db, "", topics=TOPICS))


@route("/help/{name:str}", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def help_page(name: FromPath[str], box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer one page of Help."""
    topic = _KNOWN.get(name)
    if topic is None:
        raise NotFoundError("There is no such page in Help.", "Choose one at /help.")
    with box.library() as db:
        text = templates.page(f"help/{name}.html", box, db, "", topic=topic, **help_tables.of(name, box, db))
    return html(text)
