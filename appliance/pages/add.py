"""The add page: where phones and computers send their photos and videos."""

from litestar import Response, get
from litestar.di import NamedDependency

from appliance.pages.box import Box
from appliance.pages.templates import Templates, html


@get("/add", sync_to_thread=True)
def add(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        return html(templates.page("add.html", box, db, "add", limit_bytes=box.upload_limit))
