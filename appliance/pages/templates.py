"""The HTML templates of `web/templates`, rendered with what every page shows."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import MediaType, Response

from appliance import __version__
from appliance.assets import asset
from appliance.library import items, pause, preferences
from appliance.library.database import Connection
from appliance.pages import notices, words
from appliance.pages.access import asking
from appliance.pages.box import Box
from appliance.records import Status
from appliance.sentences import ENGLISH, Language


class Templates:
    """Renders pages; everything that comes from a file or a person is escaped."""

    def __init__(self, language: Language = ENGLISH) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(asset("web/templates")),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=language.finalize,
        )
        self._environment.filters |= {
            "when": _when,
            "size": words.size,
            "duration": words.duration,
            "seconds": words.seconds,
            "number": words.number,
        }

    def page(self, name: str, box: Box, db: Connection | None, page: str, /, **context: Any) -> str:
        """Return the HTML of template `name`; `page` is its place in the navigation.

        `db` is None on the error page, which must appear even where the database does not.
        """
        asked = asking()
        common: dict[str, Any] = {
            "version": __version__,
            "page": page,
            "model": box.model(),
            "command": box.command,
            "counts": {status.value: 0 for status in Status},
            "revision": 0,
            "paused": False,
            "settings_view": box.settings,
            "zone": box.own_zone,
            "csrf": asked.csrf,
            "person": asked.caller,
            "notices": notices.standing(db, box) if asked.caller else [],  # not for strangers
        }
        if db is not None:
            common["counts"] = {status.value: count for status, count in items.counts(db).items()}
            common["revision"] = items.revision(db)
            common["paused"] = pause.is_paused(db)
            common["settings_view"] = preferences.get(db, box.settings)
            common["zone"] = box.zone(db)
        return self._environment.get_template(name).render(common | context)


@pass_context
def _when(context: Context, value: str | None) -> str:
    """Return a date or time in the household's time zone, which a setting can change."""
    return words.when(value, context["zone"])


def html(text: str, status: int = 200) -> Response[str]:
    """Return a page as a response."""
    return Response(text, status_code=status, media_type=MediaType.HTML)
