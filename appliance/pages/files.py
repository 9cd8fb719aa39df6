"""Originals and thumbnails: whole or in ranges, from the browser's cache where it has them."""

import re
import time
from pathlib import Path
from typing import Any

from litestar import Request, Router, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from starlette.datastructures import Headers
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from appliance.errors import NotFoundError
from appliance.library import descriptions, items, jobs
from appliance.pages.box import Box
from appliance.pages.errors import NotReadyError, Problem
from appliance.pages.head import GET
from appliance.sentences import Language, say

# An original is shown by the browser itself: as what it is, and without a right to anything.
ORIGINAL_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
RANGE = re.compile(r"bytes=\s*(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+))*\s*", re.ASCII | re.IGNORECASE)


class StoredFile:
    """A file answer that also knows 304, passes over a Range that is no range, and tells 416 as a problem."""

    def __init__(self, response: FileResponse, language: Language) -> None:
        self._response = response
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        stat = Path(self._response.path).stat()
        self._response.stat_result = stat
        self._response.set_stat_headers(stat)
        asked = Headers(scope=scope)
        etag = self._response.headers["etag"]
        if _matches(asked.get("if-none-match"), etag):
            kept = {name: self._response.headers[name] for name in ("etag", "cache-control")}
            await Response(status_code=304, headers=kept)(scope, receive, send)
            return
        if "range" in asked and not _is_range(asked["range"]):
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"range"]}
        refused = False

        async def tell_problem(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 416:
                refused = True
                told = Problem(
                    "range",
                    416,
                    say("Beyond the end"),
                    say("The file has {bytes} bytes.", bytes=stat.st_size),
                    say("Ask for a part of it."),
                )
                headers = {"Content-Range": f"bytes */{stat.st_size}"}
                body = told.body(self._language)
                answer = JSONResponse(body, 416, headers, "application/problem+json")
                await answer(scope, receive, send)
            elif not refused:
                await send(message)

        await self._response(scope, receive, tell_problem)


def _matches(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    return header.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _is_range(header: str) -> bool:
    """Tell whether a Range header is one (RFC 9110): anything else is passed over, and the whole file answered."""
    if len(header) > 1000 or not RANGE.fullmatch(header):
        return False
    pairs = [part.strip().split("-") for part in header.partition("=")[2].split(",")]
    return all(not (first and last) or int(first) <= int(last) for first, last in pairs)


@route("/original", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def original(number: FromPath[int], request: Request[Any, Any, Any], box: NamedDependency[Box]) -> StoredFile:
    """Answer the untouched file; `?download=1` saves it under its own name."""
    with box.library() as db:
        item = items.get(db, number)
    path = box.store.original(item.path)
    if not path.is_file():
        raise NotFoundError("The file of this photo or video is missing.", "Put it back from a backup.")
    download = request.query_params.get("download", "") not in {"", "0"}
    mime = item.mime if re.fullmatch(r"(image|video)/[a-z0-9.-]+", item.mime) else "application/octet-stream"
    headers = {
        "ETag": f'"{item.sha256}"',
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": ORIGINAL_POLICY,
    }
    disposition = "attachment" if download else "inline"
    return StoredFile(
        FileResponse(path, headers=headers, media_type=mime, filename=item.name, content_disposition_type=disposition),
        box.language,
    )


@route("/thumbnail/{size:str}", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def thumbnail(number: FromPath[int], size: FromPath[str], box: NamedDependency[Box]) -> StoredFile:
    """Answer the `small` (320 pixels high) or `large` picture that the page shows."""
    if size not in {"small", "large"}:
        raise NotFoundError("There is no thumbnail of this size.", "Use small or large.")
    with box.library() as db:
        item = items.get(db, number)
        path = box.store.derived(item.sha256) / f"{size}.webp"
        if item.prepared_at is not None and not path.is_file():
            box.ring(jobs.make_thumbnails(db, item.id, now=time.time()))  # thumbnails may be deleted at any time
    return _derived(path, box.language)


@route("/frames/{index:int}/thumbnail", http_method=GET, sync_to_thread=True)  # type: ignore[arg-type]
def frame(number: FromPath[int], index: FromPath[int], box: NamedDependency[Box]) -> StoredFile:
    """Answer the still of a video's described moment, counted from 0."""
    with box.library() as db:
        item = items.get(db, number)
        frames = descriptions.frames(db, number)
    name = frames[index].thumbnail if 0 <= index < len(frames) else None
    if name is None:
        raise NotFoundError("There is no picture of this moment.", "Go back to the library.")
    return _derived(box.store.derived(item.sha256) / Path(name).name, box.language)


def _derived(path: Path, language: Language) -> StoredFile:
    if not path.is_file():
        raise NotReadyError("This picture is not made yet.", "It appears by itself in a moment.")
    # A day, and then only if it changed: a gallery of hundreds must not ask for each anew.
    headers = {"Cache-Control": "private, max-age=86400"}
    return StoredFile(FileResponse(path, headers=headers, media_type="image/webp"), language)


router = Router("/api/v1/items/{number:int}", route_handlers=[original, thumbnail, frame])
