"""Uploads from a plain form: several files in one request, each streamed to the disk, for browsers without scripts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from appliance.errors import ShoeboxError
from appliance.library.store import Incoming
from appliance.media.formats import sniff
from appliance.pages import uploads
from appliance.pages.access import needs
from appliance.pages.add import page
from appliance.pages.body import announced_length, pieces
from appliance.pages.box import Box
from appliance.pages.errors import CutOffError, RequestError, problem
from appliance.pages.names import default_name
from appliance.pages.templates import Templates
from appliance.records import Scope
from appliance.sentences import joined, say

MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: its item where it is in the box, else why it is not."""

    name: str
    item: dict[str, Any] | None = None
    trouble: str = ""


@post("/add", opt=needs(Scope.UPLOAD), request_max_body_size=None, status_code=200)
async def add_by_form(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[str]:
    """Take in the files of a form, each for itself, and answer the page with what became of them."""
    await asyncio.to_thread(uploads.check_place, box, announced_length(request.headers.get("content-length")))
    outcomes = [outcome async for outcome in take_in(request, box)]
    return await asyncio.to_thread(page, box, templates, outcomes=outcomes)


async def take_in(request: Request[Any, Any, Any], box: Box) -> AsyncIterator[Outcome]:
    """Yield what becomes of each file as it ends; raise where the form itself cannot be read to its end."""
    parts = _Parts(request.headers.get("content-type", ""))
    file: _File | None = None
    count = 0
    try:
        async for piece in pieces(request.receive):
            for event, value in parts.feed(piece):
                if event == "begin":
                    count += 1
                    if count > MOST_FILES:
                        raise RequestError(
                            "These are too many files at once.",
                            "Send up to {most_files} of them.",
                            most_files=MOST_FILES,
                        )
                    file = _File(box, value.decode(errors="replace"))
                elif file is not None and event == "data":
                    await asyncio.to_thread(file.write, value)
                elif file is not None:
                    if (outcome := await asyncio.to_thread(file.end)) is not None:
                        yield outcome
                    file = None
        if not parts.ended:
            raise CutOffError("The files were cut off while they were sent.", "Send them again.")
    finally:
        if file is not None:
            file.discard()


class _File:
    """One file of the form on its way in; the first trouble is kept, and what still comes of it passed over."""

    def __init__(self, box: Box, name: str) -> None:
        self._box = box
        self._name = name[: uploads.LONGEST_NAME]
        self._incoming: Incoming | None = None
        self._trouble = ""

    def write(self, data: bytes) -> None:
        if self._trouble:
            return
        try:
            if self._incoming is None:
                self._incoming = self._box.store.receive()
            uploads.check_size(self._box, self._incoming.bytes + len(data))
            self._incoming.write(data)
        except (ShoeboxError, OSError) as error:
            self._refuse(error)

    def end(self) -> Outcome | None:
        """Take the file into the library; None where there is none, as of a field in which nothing was chosen."""
        if self._incoming is None and not self._trouble:
            return Outcome(self._name, trouble=say("The file is empty. Choose another one.")) if self._name else None
        item: dict[str, Any] | None = None
        if self._incoming is not None and not self._trouble:
            try:
                form = sniff(self._incoming.head)
                name = self._name or default_name(form)
                _, item = uploads.accept(self._box, self._incoming, name, form)
            except (ShoeboxError, OSError) as error:
                self._refuse(error)
        self.discard()
        return Outcome(self._name, item, self._trouble)

    def discard(self) -> None:
        if self._incoming is not None:
            self._incoming.discard()  # does nothing where it was kept

    def _refuse(self, error: ShoeboxError | OSError) -> None:
        told = problem(uploads.disk_error(self._box, error) if isinstance(error, OSError) else error)
        self._trouble = joined((told.detail, told.next_step))
        self.discard()


class _Parts:
    """A form's body as events: `begin` with a file's name, `data`, `end`; other fields are passed over."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise RequestError("This is no form with files.", "Open the page to add photos, and send them from there.")
        self.ended = False
        self._events: list[tuple[str, bytes]] = []
        self._field, self._value = b"", b""
        self._is_file = False
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> list[tuple[str, bytes]]:
        """Return what begins, comes and ends in the next piece of the body."""
        self._events = []
        try:
            self._parser.write(piece)
        except FormParserError:
            raise RequestError("The form cannot be read.", "Open the page again and send it from there.") from None
        return self._events

    def _part_begin(self) -> None:
        self._disposition, self._is_file = b"", False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._is_file = b"filename" in options
        if self._is_file:
            self._events.append(("begin", options[b"filename"]))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._events.append(("data", data[start:end]))

    def _part_end(self) -> None:
        if self._is_file:
            self._events.append(("end", b""))

    def _end(self) -> None:
        self.ended = True
