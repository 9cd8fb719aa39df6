"""The API's OpenAPI document, made of the route table itself: `/api/v1/openapi.json`, and a page that shows it.

What a handler takes and answers stands in `operations.py`; its sentence is its docstring. All that is told so is in the
catalogue of sentences, as it stands in the document. Litestar's own generator sees none of the checks that handlers
make themselves, and its pages load their scripts from the Internet.
"""

import re
from collections.abc import Iterator
from typing import Any

from litestar import Litestar, Request, Response, get, route
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from appliance import __version__
from appliance.pages.auth import COOKIE
from appliance.pages.box import Box
from appliance.pages.head import GET
from appliance.pages.operations import OPERATIONS
from appliance.pages.schemas import SCHEMAS, Operation
from appliance.pages.templates import Templates, html
from appliance.sentences import Sentence, say

API = "/api/v1/"
_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_NOT_WORD = re.compile(r"(:\w+)?[^a-z0-9]+")
_TOLD = {"summary", "description"}
_TYPES = {"int": {"type": "integer", "minimum": 0}, "str": {"type": "string"}}
# What any operation may answer besides what it is there for; the body is a problem that says what to do.
_ALWAYS = {
    400: "The request cannot be understood.",
    401: "Nobody is signed in, and no access key is sent.",
    403: "The caller may not do that, or another web site's page asked for it.",
    405: "This address cannot be used in that way.",
    408: "The request never came to its end.",
    421: "The box was called by a name that is not its own.",
    500: "Something went wrong inside Shoebox.",
    503: "The library cannot be used just now.",
}


@get("/api/v1/openapi.json", sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Answer this document."""
    return document(request.app)


@route("/help/api", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def api_page(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Answer the API's description as a page, which loads nothing from elsewhere."""
    with box.library() as db:
        text = templates.page("api.html", box, db, "", document=document(request.app), schemas=SCHEMAS)
    return html(text)


def document(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every route under `/api/v1`."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler in routes(app):
        plain = _PARAMETER.sub(r"{\1}", path)
        paths.setdefault(plain, {})[method.lower()] = _operation(path, method, handler)
    told = {
        "openapi": "3.1.0",
        "info": {
            "title": "Shoebox",
            "version": __version__,
            "description": "Everything the page does. Errors are application/problem+json, with the next step.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An access key: `shoebox key new`."},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A browser's session."},
            },
        },
        "security": [{"key": []}, {"session": []}],
    }
    return _said(told)  # type: ignore[no-any-return]


def sentences(told: Any) -> Iterator[Sentence]:
    """Yield what a document, or a part of one, says in words."""
    if isinstance(told, Sentence):
        yield told
    elif isinstance(told, dict | list):
        for one in told.values() if isinstance(told, dict) else told:
            yield from sentences(one)


def routes(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Yield the path, method and handler of each operation of the API."""
    for one in app.routes:
        if isinstance(one, HTTPRoute) and one.path.startswith(API):
            for handler in one.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    yield one.path, method, handler


def _said(told: Any, name: str = "") -> Any:
    """Return a part of the document with its words as sentences, which are told in the reader's language."""
    if isinstance(told, dict):
        return {key: _said(value, key) for key, value in told.items()}
    if isinstance(told, list):
        return [_said(value) for value in told]
    return say(told) if name in _TOLD and isinstance(told, str) else told


def _operation(path: str, method: str, handler: HTTPRouteHandler) -> dict[str, Any]:
    about = OPERATIONS.get((method, path), Operation())
    sentence, _, rest = (getattr(handler.fn, "func", handler.fn).__doc__ or "").strip().partition("\n")
    told: dict[str, Any] = {
        "summary": sentence,
        "description": " ".join(rest.split()),
        "operationId": _NOT_WORD.sub("_", f"{method.lower()}_{path.removeprefix(API)}").strip("_"),
        "parameters": [*_of_path(path, about), *about.parameters],
        "responses": _responses(path, about),
    }
    if about.body is not None:
        told["requestBody"] = {"required": about.body_required, "content": about.body}
    return told


def _of_path(path: str, about: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": about.path.get(name, _TYPES[kind])}
        for name, kind in _PARAMETER.findall(path)
    ]


def _responses(path: str, about: Operation) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refused = dict(_ALWAYS)
    if _PARAMETER.search(path):
        refused[404] = "There is none."
    refused |= about.refuses
    answers: dict[str, Any] = {
        str(status): {"description": text, "content": problem} for status, text in refused.items()
    }
    for status, (text, content) in about.answers.items():
        answers[str(status)] = {"description": text} | ({"content": content} if content else {})
    return dict(sorted(answers.items()))
