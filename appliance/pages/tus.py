"""Uploads in several pieces by tus 1.0: what has come survives a lost network, a restart of the box and a power cut.

A file that is here whole becomes an item as any upload does: `Shoebox-Item` names it, `Shoebox-Duplicate` says whether
its bytes were here before.
"""

import asyncio
import base64
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
from appliance.library import links, partials, preferences
from appliance.library.incoming import Resumed
from appliance.library.partials import Partial
from appliance.media.formats import sniff
from appliance.pages import tus_headers
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
from appliance.pages.tus_headers import Checksum
from appliance.pages.tus_way import Ways
from appliance.pages.uploads import check_place, checked_name, disk_error
from appliance.records import Link, Scope

ADDRESS = "/api/v1/tus"
VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"

log = logging.getLogger(__name__)
ways = Ways()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: where their uploads lie, and the link by which a guest came, who is told nothing of the library."""

    address: str = ADDRESS
    link: Link | None = None


@route(ADDRESS, http_method=["POST", "OPTIONS"], opt=needs(Scope.UPLOAD), request_max_body_size=None)
async def begin(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response:
    """Begin an upload: 201 and its address in `Location`; with a body, its first piece comes at once."""
    return await begun(Sender, request, box)


@route(
    f"{ADDRESS}/{{number:str}}",
    http_method=["HEAD", "PATCH", "DELETE", "POST", "OPTIONS"],
    opt=needs(Scope.UPLOAD),
    request_max_body_size=None,
)
async def go_on(number: FromPath[str], request: Request[Any, Any, Any], box: NamedDependency[Box]) -> Response:
    """Tell how far an upload is (HEAD), take in its next piece (PATCH), or forget it (DELETE)."""
    return await gone_on(Sender, number, request, box)


async def begun(sender: Callable[[], Sender], request: Request[Any, Any, Any], box: Box) -> Response:
    """Answer what is asked of the address where uploads begin; `sender` is called in a thread, and may refuse."""
    if request.method == "OPTIONS":
        return _abilities(box)
    return await _answered(sender, request, box, lambda who: _begin(who, request, box))


async def gone_on(sender: Callable[[], Sender], number: str, request: Request[Any, Any, Any], box: Box) -> Response:
    """Answer what is asked of an upload; `sender` is called in a thread, and may refuse."""
    method = request.headers.get("x-http-method-override", request.method).upper()
    if method == "OPTIONS":
        return _abilities(box)
    handle = {"HEAD": _tell, "PATCH": _take_piece, "DELETE": _forget}.get(method)
    if handle is None:
        return _refusal(RequestError("This address cannot be used in that way.", "Use HEAD, PATCH or DELETE."), box)
    return await _answered(sender, request, box, lambda who: handle(number, who, request, box))


def _abilities(box: Box) -> Response:
    return Response(
        status_code=204,
        headers={
            "Tus-Resumable": VERSION,
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(box.upload_limit),
            "Tus-Checksum-Algorithm": ",".join(tus_headers.CHECKSUMS),
        },
    )


async def _answered(
    sender: Callable[[], Sender],
    request: Request[Any, Any, Any],
    box: Box,
    handle: Callable[[Sender], Awaitable[Response]],
) -> Response:
    try:
        spoken = request.headers.get("tus-resumable")
        if spoken != VERSION:
            raise TusVersionError("This box speaks tus 1.0.0.", "Send the header Tus-Resumable: 1.0.0.")
        return await handle(await asyncio.to_thread(sender))
    except (ShoeboxError, OSError) as error:
        return _refusal(disk_error(box, error) if isinstance(error, OSError) else error, box)


def _refusal(error: ShoeboxError, box: Box) -> Response:
    told = problem(error)
    log.info("a piece of an upload was refused", extra={"status": told.status, "reason": told.kind})
    headers = {"Tus-Resumable": VERSION}
    if isinstance(error, TusVersionError):
        headers["Tus-Version"] = VERSION
    return EarlyAnswer(json.dumps(told.body(box.language)), told.status, headers, "application/problem+json")


async def _begin(sender: Sender, request: Request[Any, Any, Any], box: Box) -> Response:
    length = tus_headers.number(request.headers.get("upload-length"), "Upload-Length")
    if length == 0:
        raise RequestError("The file is empty.", "Choose another one.")
    name = checked_name(tus_headers.name(request.headers.get("upload-metadata", "")))
    with_piece = tus_headers.media_type(request) == PIECE_TYPE
    checksum = tus_headers.checksum(request) if with_piece else None

    def create() -> Partial:
        check_place(box, length)
        with box.library() as db:
            begun = partials.create(db, box.store, name, length)
        box.presence.check()
        return begun

    partial = await asyncio.to_thread(create)
    if with_piece:
        partial = await _piece(partial, 0, checksum, sender, request, box)
    headers = {"Location": f"{sender.address}/{partial.id}"}
    return Response(status_code=201, headers=headers | _standing(box, sender, partial))


async def _tell(number: str, sender: Sender, request: Request[Any, Any, Any], box: Box) -> Response:
    """Answer how much has come. Who asks wants to go on: a request that hangs, cut off, is called off for it."""
    await ways.call_off(number)

    def look() -> Partial:
        with box.library() as db:
            found = partials.get(db, box.store, number)
        if found.item_id is None and partials.received(box.store, found) == found.length:
            # All of it came, and the box ended before it was put away.
            with Resumed(box.store.partial(number)) as whole:
                return _finish(box, sender, found, whole)
        return found

    partial = await asyncio.to_thread(look)
    while ways.has(number):  # it began to send while this looked
        await ways.call_off(number)
        partial = await asyncio.to_thread(look)
    headers = {"Cache-Control": "no-store", "Upload-Length": str(partial.length)}
    if partial.name:
        headers["Upload-Metadata"] = f"filename {base64.b64encode(partial.name.encode()).decode()}"
    return Response(status_code=200, headers=headers | _standing(box, sender, partial))


async def _take_piece(number: str, sender: Sender, request: Request[Any, Any, Any], box: Box) -> Response:
    if tus_headers.media_type(request) != PIECE_TYPE:
        raise TusTypeError("A piece of a file is sent as application/offset+octet-stream.", "Send it so.")
    offset = tus_headers.number(request.headers.get("upload-offset"), "Upload-Offset")
    checksum = tus_headers.checksum(request)

    def find() -> Partial:
        check_place(box, None)
        with box.library() as db:
            return partials.get(db, box.store, number)

    partial = await asyncio.to_thread(find)
    if partial.item_id is None:
        partial = await _piece(partial, offset, checksum, sender, request, box)
    elif offset != partial.length:
        raise _elsewhere(partial.length)
    return Response(status_code=204, headers=_standing(box, sender, partial))


async def _forget(number: str, sender: Sender, request: Request[Any, Any, Any], box: Box) -> Response:
    await ways.call_off(number)

    def forget() -> Partial:
        with box.library() as db:
            partial = partials.get(db, box.store, number)
            if partial.item_id is not None:
                partials.remove(db, box.store, partial)
                return partial
            with Resumed(box.store.partial(number)):
                partials.remove(db, box.store, partial)
                return partial

    partial = await asyncio.to_thread(forget)
    ways.forget(number)
    # Where all of it came before, it stays, and whoever called it off is told so.
    headers = {"Tus-Resumable": VERSION} if partial.item_id is None else _standing(box, sender, partial)
    return Response(status_code=204, headers=headers)


async def _piece(
    partial: Partial,
    offset: int,
    checksum: Checksum | None,
    sender: Sender,
    request: Request[Any, Any, Any],
    box: Box,
) -> Partial:
    """Take in a piece, and the whole file where it was the last; return how the upload stands."""
    with ways.under_way(partial.id, request.receive) as receive:
        incoming = await asyncio.to_thread(Resumed, box.store.partial(partial.id), ways.known(partial.id))
        try:
            if offset != incoming.bytes:
                raise _elsewhere(incoming.bytes)
            await _take_in(partial, incoming, checksum, request, receive)
            if incoming.bytes == partial.length:
                return await asyncio.to_thread(_finish, box, sender, partial, incoming)
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


def _finish(box: Box, sender: Sender, partial: Partial, whole: Resumed) -> Partial:
    form = sniff(whole.head)
    whole.close()
    with box.library() as db:
        describe = preferences.get(db, box.settings).auto_process_on_upload
        name = partial.name or default_name(form)
        done, jobs = partials.finish(db, box.store, partial, whole, name, form, describe=describe)
        if sender.link:
            links.note(db, sender.link.id, 1)
    box.presence.check()
    box.ring(jobs)
    about = {"item": done.item_id, "kind": form.kind, "bytes": partial.length}
    log.info("sent, and here already" if done.duplicate else "taken in", extra=about)
    return done


def _drop(box: Box, partial: Partial) -> None:
    with box.library() as db:
        partials.remove(db, box.store, partial)


def _standing(box: Box, sender: Sender, partial: Partial) -> dict[str, str]:
    headers = {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(partials.received(box.store, partial)),
        "Upload-Expires": formatdate(partials.expires(box.store, partial), usegmt=True),
    }
    if partial.item_id is None or sender.link:
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
