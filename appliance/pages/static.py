"""The files of `web/static`, and the two that browsers look for at the top."""

import json
import re
from pathlib import Path

from litestar import asgi
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import ASGIRouteHandler
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import appliance
from appliance import __version__
from appliance.assets import asset
from appliance.pages.access import OPEN
from appliance.sentences import ENGLISH, Language

FOREVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"
# The scripts whose words are those of the box's language, and what each of their calls says.
SPEAKING = ("js/sentences.js", "js/words.js")
SAID = re.compile(r'\b(?:say|counted)\((?P<one>"(?:[^"\\]|\\.)*")(?:, (?P<many>"(?:[^"\\]|\\.)*"))?')


def static_routes(language: Language = ENGLISH) -> list[ASGIRouteHandler]:
    """Return the routes of the static files; scripts say their sentences in `language`."""
    folder = asset("web/static")
    files = StaticFiles(directory=folder)
    speaking = {} if language is ENGLISH else {path: spoken(folder / path, language) for path in SPEAKING}
    # In a checkout files change while the version stays; only an installed version's files never do.
    installed = folder.is_relative_to(Path(appliance.__file__).parent)

    async def answer(path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path in speaking:
            headers = {"Cache-Control": ASK_EACH_TIME}
            await Response(speaking[path], 200, headers, "text/javascript")(scope, receive, send)
            return
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


def spoken(script: Path, language: Language) -> str:
    """Return a script's text with all that it says in `language`."""

    def told(call: re.Match[str]) -> str:
        one, many = json.loads(call["one"]), json.loads(call["many"] or '""')
        words = [language.template(one)] if not many else [language.template(one, many, count) for count in (1, 2)]
        return f"{call[0].partition('(')[0]}({', '.join(json.dumps(word, ensure_ascii=False) for word in words)}"

    return SAID.sub(told, script.read_text(encoding="utf-8"))
