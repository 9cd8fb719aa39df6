"""Uploads in several pieces by tus 1.0: what has come survives a lost network, a restart of the box and a power cut.

A file that is here whole becomes an item as any upload does: `Shoebox-Item` names it, `Shoebox-Duplicate` says whether
its bytes were here before.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from litestar import Request, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from starlette.responses import Response

from appliance.errors import MediaError, ShoeboxError
from appliance.library import partials, preferences
from appliance.library.incoming import Resumed
from appliance.library.partials import Partial
from appliance.media.formats import sniff
from appliance.pages.access import needs
from appliance.pages.body import FIRST_PIECE, EarlyAnswer, announced_length, pieces
from appliance.pages.box import Box
from appliance.pages.errors import (
    ChecksumError,
    CutOffError,
    OffsetError,
    RequestError,
    SilentSenderError,
    TusTypeError,
    TusVersionError,
    problem,
)
from appliance.pages.names import default_name
from appliance.pages.tus_way import Ways
from appliance.pages.uploads import check_place, checked_name, disk_error
from appliance.records import Scope

ADDRESS = "/api/v1/tus"
VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"
CHECKSUMS = ("sha1", "sha256")
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"

log = logging.getLogger(__name__)
ways = Ways()

Handle = Callable[[], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece must come to: the algorithm's name and the digest."""

    algorithm: str
    digest: bytes


@route(ADDRESS, http_method=["POST", "OPTIONS"], opt=needs(Scope.UPLOAD), request_max_body_size=None)
async def begin(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response:
    """Begin an upload: 201 and its address in `Location`; with a body, its first piece comes at once."""
    if request.method == "OPTIONS":
        return _abilities(box)
    return await _answered(request, box, lambda: _begin(request, box))


@route(
    f"{ADDRESS}/{{number:str}}",
    http_method=["HEAD", "PATCH", "DELETE", "POST", "OPTIONS"],
    opt=needs(Scope.UPLOAD),
    request_max_body_size=None,
)
async def go_on(number: FromPath[str], request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response:
    """Tell how far an upload is (HEAD), take in its next piece (PATCH), or forget it (DELETE)."""
    method = request.headers.get("x-http-method-override", request.method).upper()
    if method == "OPTIONS":
        return _abilities(box)
    handle = {"HEAD": _tell, "PATCH": _take_piece, "DELETE": _forget}.get(method)
    if handle is None:
        return _refusal(RequestError("This address cannot be used in that way.", "Use HEAD, PATCH or DELETE."), box)
    return await _answered(request, box, lambda: handle(number, request, box))


def _abilities(box: Box) -> Response:
    return Response(
        status_code=204,
        headers={
            "Tus-Resumable": VERSION,
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(box.upload_limit),
            "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
        },
    )


async def _answered(request: Request[Any, Any, Any], box: Box, handle: Handle) -> Response:
    try:
        spoken = request.headers.get("tus-resumable")
        if spoken != VERSION:
            raise TusVersionError("This box speaks tus 1.0.0.", "Send the header Tus-Resumable: 1.0.0.")
        return await handle()
    except (ShoeboxError, OSError) as error:
        return _refusal(disk_error(box, error) if isinstance(error, OSError) else error, box)


def _refusal(error: ShoeboxError, box: Box) -> Response:
    told = problem(error)
    log.info("a piece of an upload was refused", extra={"status": told.status, "reason": told.kind})
    headers = {"Tus-Resumable": VERSION}
    if isinstance(error, TusVersionError):
        headers["Tus-Version"] = VERSION
    return EarlyAnswer(json.dumps(told.body(box.language)), told.status, headers, "application/problem+json")


async def _begin(request: Request[Any, Any, Any], box: Box) -> Response:
    length = _number(request.headers.get("upload-length"), "Upload-Length")
    if length == 0:
        raise RequestError("The file is empty.", "Choose another one.")
    name = checked_name(_name(request.headers.get("upload-metadata", "")))
    with_piece = _media_type(request) == PIECE_TYPE
    checksum = _checksum(request) if with_piece else None

    def create() -> Partial:
        check_place(box, length)
        with box.library() as db:
            begun = partials.create(db, box.store, name, length)
        box.presence.check()
        return begun

    partial = await asyncio.to_thread(create)
    if with_piece:
        partial = await _piece(partial, 0, checksum, request, box)
    headers = {"Location": f"{ADDRESS}/{partial.id}"}
    return Response(status_code=201, headers=headers | _standing(box, partial))


async def _tell(number: str, request: Request[Any, Any, Any], box: Box) -> Response:
    """Answer how much has come. Who asks wants to go on: a request that hangs, cut off, is called off for it."""
    await ways.call_off(number)

    def look() -> Partial:
        with box.library() as db:
            found = partials.get(db, box.store, number)
        if found.item_id is None and partials.received(box.store, found) == found.length:
            # All of it came, and the box ended before it was put away.
            with Resumed(box.store.partial(number)) as whole:
                return _finish(box, found, whole)
        return found

    partial = await asyncio.to_thread(look)
    while ways.has(number):  # it began to send while this looked
        await ways.call_off(number)
        partial = await asyncio.to_thread(look)
    headers = {"Cache-Control": "no-store", "Upload-Length": str(partial.length)}
    if partial.name:
        headers["Upload-Metadata"] = f"filename {base64.b64encode(partial.name.encode()).decode()}"
    return Response(status_code=200, headers=headers | _standing(box, partial))


async def _take_piece(number: str, request: Request[Any, Any, Any], box: Box) -> Response:
    if _media_type(request) != PIECE_TYPE:
        raise TusTypeError("A piece of a file is sent as application/offset+octet-stream.", "Send it so.")
    offset = _number(request.headers.get("upload-offset"), "Upload-Offset")
    checksum = _checksum(request)

    def find() -> Partial:
        check_place(box, None)
        with box.library() as db:
            return partials.get(db, box.store, number)

    partial = await asyncio.to_thread(find)
    if partial.item_id is None:
        partial = await _piece(partial, offset, checksum, request, box)
    elif offset != partial.length:
        raise _elsewhere(partial.length)
    return Response(status_code=204, headers=_standing(box, partial))


async def _forget(number: str, request: Request[Any, Any, Any], box: Box) -> Response:
    await ways.call_off(number)

    def forget() -> None:
        with box.library() as db:
            partial = partials.get(db, box.store, number)
            if partial.item_id is not None:
                partials.remove(db, box.store, partial)
                return
            with Resumed(box.store.partial(number)):
                partials.remove(db, box.store, partial)

    await asyncio.to_thread(forget)
    ways.forget(number)
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


async def _piece(
    partial: Partial, offset: int, checksum: Checksum | None, request: Request[Any, Any, Any], box: Box
) -> Partial:
    """Take in a piece, and the whole file where it was the last; return how the upload stands."""
    with ways.under_way(partial.id, request.receive) as receive:
        incoming = await asyncio.to_thread(Resumed, box.store.partial(partial.id), ways.known(partial.id))
        try:
            if offset != incoming.bytes:
                raise _elsewhere(incoming.bytes)
            await _take_in(partial, incoming, checksum, request, receive)
            if incoming.bytes == partial.length:
                return await asyncio.to_thread(_finish, box, partial, incoming)
            await asyncio.to_thread(incoming.close)
            box.presence.check()  # or it went to a disk that is gone
        except MediaError:
            await asyncio.to_thread(_drop, box, partial)
            raise
        except asyncio.CancelledError:
            incoming.discard()  # here and now: the server stops, and may not wait for a thread
            raise
        finally:
            await asyncio.to_thread(incoming.close)
            ways.remember(partial.id, incoming.known())
    return partial


async def _take_in(
    partial: Partial,
    incoming: Resumed,
    checksum: Checksum | None,
    request: Request[Any, Any, Any],
    receive: Callable[[], Awaitable[Any]],
) -> None:
    """Write a piece to the disk: all that came of it where it is cut off, nothing where its checksum is wrong."""
    announced = announced_length(request.headers.get("content-length"))
    room = partial.length - incoming.bytes
    if announced is not None and announced > room:
        raise _too_much(partial.length)
    told = incoming.bytes >= FIRST_PIECE
    came = 0
    sum_of = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
    try:
        async for piece in pieces(receive):
            came += len(piece)
            if came > room:
                raise _too_much(partial.length)
            await asyncio.to_thread(incoming.write, piece)
            if sum_of is not None:
                sum_of.update(piece)
            if not told and (incoming.bytes >= FIRST_PIECE or incoming.bytes == partial.length):
                sniff(incoming.head)
                told = True
        if announced is not None and came != announced:
            raise CutOffError("The file was cut off while it was sent.", "Send the rest.")
        if checksum and sum_of and not hmac.compare_digest(sum_of.digest(), checksum.digest):
            raise ChecksumError("This piece changed on its way.", "Send it again.")
    except (CutOffError, SilentSenderError, ChecksumError):
        if checksum:
            await asyncio.to_thread(incoming.back)
        raise


def _finish(box: Box, partial: Partial, whole: Resumed) -> Partial:
    form = sniff(whole.head)
    whole.close()
    with box.library() as db:
        describe = preferences.get(db, box.settings).auto_process_on_upload
        name = partial.name or default_name(form)
        done, jobs = partials.finish(db, box.store, partial, whole, name, form, describe=describe)
    box.presence.check()
    box.ring(jobs)
    about = {"item": done.item_id, "kind": form.kind, "bytes": partial.length}
    log.info("sent, and here already" if done.duplicate else "taken in", extra=about)
    return done


def _drop(box: Box, partial: Partial) -> None:
    with box.library() as db:
        partials.remove(db, box.store, partial)


def _standing(box: Box, partial: Partial) -> dict[str, str]:
    headers = {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(partials.received(box.store, partial)),
        "Upload-Expires": formatdate(partials.expires(box.store, partial), usegmt=True),
    }
    if partial.item_id is None:
        return headers
    return headers | {
        "Shoebox-Item": f"/api/v1/items/{partial.item_id}",
        "Shoebox-Duplicate": "true" if partial.duplicate else "false",
    }


def _elsewhere(received: int) -> OffsetError:
    return OffsetError(
        "The next piece begins at byte {received}.",
        "Ask how far the upload is, and go on from there.",
        received=received,
    )


def _too_much(length: int) -> RequestError:
    return RequestError("More came than the {length} bytes that were announced.", "Send the file again.", length=length)


def _number(value: str | None, name: str) -> int:
    if value is None or not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise RequestError("{name} is not a number of bytes.", "Send the file again.", name=name)
    return int(value)


def _media_type(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _metadata(given: str) -> dict[str, str]:
    found = {}
    for pair in filter(None, (part.strip() for part in given.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise RequestError("Upload-Metadata cannot be read.", "Send keys, each with its value in base64.") from None
    return found


def _name(given: str) -> str:
    found = _metadata(given)
    return found.get("filename") or found.get("name") or ""


def _checksum(request: Request[Any, Any, Any]) -> Checksum | None:
    given = request.headers.get("upload-checksum")
    if given is None:
        return None
    algorithm, _, value = given.partition(" ")
    if algorithm not in CHECKSUMS:
        raise RequestError(
            "The checksum {algorithm} is not known here.",
            "Use {checksums}.",
            algorithm=algorithm,
            checksums=" or ".join(CHECKSUMS),
        )
    try:
        return Checksum(algorithm, base64.b64decode(value.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise RequestError("Upload-Checksum cannot be read.", "Send the digest in base64.") from None
