"""The files of `web/static`, and the two that browsers look for at the top."""

from pathlib import Path

from litestar import asgi
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import ASGIRouteHandler
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import appliance
from appliance import __version__
from appliance.assets import asset
from appliance.pages.access import OPEN

FOREVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"


def static_routes() -> list[ASGIRouteHandler]:
    """Return the routes of the static files."""
    folder = asset("web/static")
    files = StaticFiles(directory=folder)
    # In a checkout files change while the version stays; only an installed version's files never do.
    installed = folder.is_relative_to(Path(appliance.__file__).parent)

    async def answer(path: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await files.get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 405:
                raise MethodNotAllowedException(headers=dict(error.headers or {})) from error
            raise NotFoundException from error
        versioned = installed and QueryParams(scope["query_string"]).get("v") == __version__
        response.headers["Cache-Control"] = FOREVER if versioned else ASK_EACH_TIME
        if path.endswith(".webmanifest"):
            response.headers["Content-Type"] = "application/manifest+json"
        await response(scope, receive, send)

    @asgi("/static", is_mount=True, copy_scope=True, opt=OPEN)
    async def static(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope["path"].strip("/"), scope, receive, send)

    @asgi("/manifest.webmanifest", copy_scope=True, opt=OPEN)
    async def manifest(scope: Scope, receive: Receive, send: Send) -> None:
        await answer("manifest.webmanifest", scope, receive, send)

    @asgi("/favicon.ico", copy_scope=True, opt=OPEN)
    async def favicon(scope: Scope, receive: Receive, send: Send) -> None:
        await answer("icons/favicon.ico", scope, receive, send)

    return [static, manifest, favicon]
