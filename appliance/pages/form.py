"""Files in a form, as a page without script sends them: each goes to the disk as it comes, none is held in memory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from appliance.errors import ShoeboxError
from appliance.library.store import Incoming
from appliance.media.formats import sniff
from appliance.pages.body import FIRST_PIECE, pieces
from appliance.pages.box import Box
from appliance.pages.errors import RequestError
from appliance.pages.names import default_name
from appliance.pages.uploads import check_place, check_size, checked_name, disk_error, put_away
from appliance.records import Format

FIELD = b"files"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one file: the item as the API tells it and whether it was here, or why it was not taken."""

    name: str
    item: dict[str, Any] | None = None
    duplicate: bool = False
    trouble: str = ""
    next_step: str = ""


async def receive_files(request: Request[Any, Any, Any], box: Box) -> list[Sent]:
    """Take in every file of the form's field `files`, in order; one that is refused leaves the others alone.

    Raises RequestError where it is no such form, CutOffError where it ends too early: what was whole is kept then.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise RequestError("This is no form with files.", "Open the page and choose the files there.")
    files = Files(box)
    parser = MultipartParser(options[b"boundary"], files.callbacks())
    try:
        async for piece in pieces(request.receive):
            await asyncio.to_thread(parser.write, piece)
        parser.finalize()
    except FormParserError:
        raise RequestError("The form cannot be read.", "Open the page again and choose the files there.") from None
    except asyncio.CancelledError:
        files.drop()  # here and now: the server stops, and may not wait for a thread
        raise
    finally:
        await asyncio.to_thread(files.drop)
    return files.sent


class Files:
    """The form's parts as the parser finds them; each file of the field is an upload of its own."""

    def __init__(self, box: Box) -> None:
        self.sent: list[Sent] = []
        self._box = box
        self._header = [b"", b""]  # the name and the value that are just read
        self._about = b""  # the part's Content-Disposition
        self._name: str | None = None  # of the file that is just read
        self._incoming: Incoming | None = None
        self._format: Format | None = None

    def callbacks(self) -> Any:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._read(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._read(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": lambda data, start, end: self._write(data[start:end]),
            "on_part_end": self._close,
        }

    def drop(self) -> None:
        """Remove what came of a file that did not come to its end."""
        if self._incoming is not None:
            self._incoming.discard()

    def _begin(self) -> None:
        self._header, self._about, self._name = [b"", b""], b"", None

    def _read(self, which: int, part: bytes) -> None:
        self._header[which] += part

    def _end_header(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._about = self._header[1]
        self._header = [b"", b""]

    def _open(self) -> None:
        _, options = parse_options_header(self._about)
        name = options.get(b"filename", b"")
        if options.get(b"name") != FIELD or not name:
            return  # another field, or nothing chosen
        self._name = name.decode(errors="replace")
        self._format = None
        with self._refusals():
            check_place(self._box, None)
            checked_name(self._name)
            self._incoming = self._box.store.receive()

    def _write(self, data: bytes) -> None:
        if self._incoming is None:
            return
        with self._refusals():
            check_size(self._box, self._incoming.bytes + len(data))
            self._incoming.write(data)
            if self._format is None and len(self._incoming.head) >= FIRST_PIECE:
                self._format = sniff(self._incoming.head)

    def _close(self) -> None:
        if self._incoming is None:
            return
        with self._refusals():
            form = self._format or sniff(self._incoming.head)
            name = checked_name(self._name or "") or default_name(form)
            _, item = put_away(self._box, self._incoming, name, form)
            self.sent.append(Sent(name, item, bool(item["duplicate"])))
            self._incoming = None

    def _refuse(self, error: ShoeboxError) -> None:
        # The rest of the file is read past.
        self.drop()
        self._incoming = None
        self.sent.append(Sent(self._name or "", trouble=error.message, next_step=error.next_step))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Around what may be wrong with one file: it is noted, and the form goes on."""
        try:
            yield
        except ShoeboxError as error:
            self._refuse(error)
        except OSError as error:
            self._refuse(disk_error(self._box, error))
