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
from appliance.sentences import say


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of Help: its place in the address, its title, what stands there."""

    name: str
    title: str
    about: str


TOPICS: dict[str, tuple[Topic, ...]] = {
    say("When something is wrong"): (
        Topic("troubleshooting", say("Troubleshooting"), say("What you see, what it means, what to do.")),
        Topic("logs", say("Notes and monitoring"), say("What the box writes down, and how to watch it.")),
        Topic("backup", say("Backup and restore"), say("What to copy, how to go back, how to move to another box.")),
    ),
    say("Get it going"): (
        Topic("install", say("Install"), say("On a computer that runs Debian or Raspberry Pi OS.")),
        Topic("flash", say("Flash a card"), say("A card for a Raspberry Pi that starts by itself.")),
        Topic("hardware", say("Which computer"), say("Boards, memory and disks, and what they do.")),
        Topic("tuning", say("Tuning"), say("Threads, models and nights, board by board.")),
        Topic("gpu", say("Graphics cards"), say("A host with a card that describes many a second.")),
    ),
    say("Look after it"): (
        Topic("update", say("Update"), say("A new release, by network or USB stick, and the way back.")),
        Topic("security", say("Security"), say("What is open, what is kept, what to do.")),
        Topic("settings", say("Every setting"), say("Names, defaults and ranges.")),
        Topic("uninstall", say("Uninstall"), say("Take Shoebox away and keep the photos.")),
    ),
    say("To look things up"): (
        Topic("card", say("Reference card"), say("All that one types, on a page to print.")),
        Topic("api", say("For programs"), say("Everything the page does, for programs.")),
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
