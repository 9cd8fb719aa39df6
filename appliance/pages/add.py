"""The add page: where phones and computers send their photos and videos."""

from litestar import Response, route
from litestar.di import NamedDependency

from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html


@route("/add", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def add(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    with box.library() as db:
        return html(templates.page("add.html", box, db, "add", limit_bytes=box.upload_limit))
