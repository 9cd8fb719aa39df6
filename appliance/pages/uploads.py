"""Uploads: the raw bytes of one file, streamed to the disk and acknowledged once they are safe there."""

import asyncio
import json
import logging
import shutil
import time
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from starlette.responses import Response

from appliance.errors import LibraryError, MediaTooLargeError, ShoeboxError, StorageFullError
from appliance.library import preferences, uploads
from appliance.library.store import Incoming
from appliance.media.formats import sniff
from appliance.pages.access import needs
from appliance.pages.body import FIRST_PIECE, EarlyAnswer, announced_length, pieces
from appliance.pages.box import Box
from appliance.pages.errors import CutOffError, RequestError, problem
from appliance.pages.names import default_name
from appliance.pages.serialise import item_json
from appliance.pages.words import size
from appliance.records import Format, Scope

LONGEST_NAME = 1000

log = logging.getLogger(__name__)


# Without a limit here: the handler counts the bytes itself, against the owner's setting.
@post("/api/v1/uploads", opt=needs(Scope.UPLOAD), request_max_body_size=None)
async def upload(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response:
    """Take in one file: 201 and the item, 200 and the first one where the same bytes are here already."""
    began = time.monotonic()
    try:
        _check_raw(request.headers.get("content-type", ""))
        name = checked_name(request.query_params.get("name", ""))
        length = announced_length(request.headers.get("content-length"))
        await asyncio.to_thread(check_place, box, length)
        incoming = await asyncio.to_thread(box.store.receive)
        try:
            form = await _take_in(request, box, incoming, length)
            status, body = await asyncio.to_thread(accept, box, incoming, name or default_name(form), form)
        except asyncio.CancelledError:
            incoming.discard()  # here and now: the server stops, and may not wait for a thread
            raise
        finally:
            # Does nothing where the file was kept.
            await asyncio.to_thread(incoming.discard)
    except (ShoeboxError, OSError) as error:
        told = problem(disk_error(box, error) if isinstance(error, OSError) else error)
        log.info("an upload was refused", extra={"status": told.status, "reason": told.kind})
        return EarlyAnswer(json.dumps(told.body(box.language)), told.status, None, "application/problem+json")
    about = {name: body[name] for name in ("kind", "bytes")} | {"item": body["id"], "seconds": time.monotonic() - began}
    log.info("taken in" if status == 201 else "sent, and here already", extra=about)
    headers = {"Location": f"/api/v1/items/{body['id']}"}
    return Response(json.dumps(box.language.over(body)), status, headers, "application/json")


async def _take_in(request: Request[Any, Any, Any], box: Box, incoming: Incoming, length: int | None) -> Format:
    """Write the body to the disk and return its format, refused as early as its first bytes tell."""
    form: Format | None = None
    async for piece in pieces(request.receive):
        check_size(box, incoming.bytes + len(piece))
        await asyncio.to_thread(incoming.write, piece)
        if form is None and len(incoming.head) >= FIRST_PIECE:
            form = sniff(incoming.head)
    if incoming.bytes == 0:
        raise RequestError("The file is empty.", "Send the file's bytes as the body of the request.")
    if length is not None and incoming.bytes != length:
        raise CutOffError("The file was cut off while it was sent.", "Send it again.")
    return form or sniff(incoming.head)


def accept(box: Box, incoming: Incoming, name: str, form: Format) -> tuple[int, dict[str, Any]]:
    incoming.close()
    with box.library() as db:
        describe = preferences.get(db, box.settings).auto_process_on_upload
        item, duplicate, jobs = uploads.accept(db, box.store, incoming, name, form, describe=describe)
        body = item_json(db, item, box.known_models())
    box.presence.check()  # or it went to a disk that is gone, and the sender must not take it for kept
    box.ring(jobs)
    return (200, body | {"duplicate": True}) if duplicate else (201, body | {"duplicate": False})


def disk_error(box: Box, error: OSError) -> ShoeboxError:
    """Return what to say where a file could not be written: the disk is gone, or fails."""
    log.error("an upload could not be kept: %s", error.strerror)  # the rest may name the file
    try:
        box.presence.check()
    except LibraryError as gone:
        return gone
    return LibraryError(
        "The file could not be kept: {strerror}.",
        "Check the card or disk, then send it again.",
        strerror=error.strerror,
    )


def _check_raw(kind: str) -> None:
    """Refuse a form: what is around the file in it would be taken for the file."""
    if kind.strip().lower().startswith("multipart/"):
        raise RequestError(
            "The file came inside a form, as `curl -F` sends it.",
            "Send its bytes alone: curl --data-binary @FILE 'http://…/api/v1/uploads?name=FILE'.",
        )


def check_place(box: Box, length: int | None) -> None:
    """Refuse at once where the library is gone, and what is larger than the limit or than the room that is left."""
    box.presence.check()
    if length is not None:
        check_size(box, length)
    box.store.check()
    if length is None:
        return
    if length > (free := shutil.disk_usage(box.settings.data).free):
        raise StorageFullError(
            "The file needs {size}, but only {size_free} are free on the card.",
            "Make room and send it again.",
            size=size(length),
            size_free=size(free),
        )


def check_size(box: Box, count: int) -> None:
    if count > box.upload_limit:
        raise MediaTooLargeError(
            "The file is larger than {size}.",
            "Send a smaller one, or raise upload_limit_mb.",
            size=size(box.upload_limit),
        )


def checked_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise RequestError(
            "The file's name is too long.", "Use at most {longest_name} characters.", longest_name=LONGEST_NAME
        )
    return name.strip()
