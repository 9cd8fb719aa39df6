"""Fetch a model's files from the hub: resumed where they were cut off, checked against what was promised."""

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from appliance import __version__
from appliance.errors import DownloadError, StorageFullError
from appliance.modelstore.catalog import CatalogFile, CatalogModel
from appliance.modelstore.files import Progress, quiet, sha256, sync
from appliance.modelstore.hub import HUB, Hub, Promise, retry_after
from appliance.modelstore.pins import Pins
from appliance.sentences import say

_ATTEMPTS = 6  # in a row without a byte coming
_ATTEMPTS_OFFLINE = 3  # where nothing has come and nobody answers: most likely there is no Internet
_LONGEST_PAUSE = 60.0
_LONGEST_ASKED = 600.0  # a server that asks for more than this is told of rather than waited for
_LARGEST_UNTOLD = 64 << 20  # a file whose size nobody has told is a small one
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_LATER = say("Run the same command again: it goes on where it stopped.")
_OFFLINE = say(
    "Check that this box reaches the Internet, or install from a folder: shoebox models install --from FOLDER."
)
_CHANGED = say("The model has changed there.")
_DAMAGED = say("Run the same command again: it starts this file anew.")


class _OtherBytes(DownloadError):
    """What came, or would come, is not what was promised."""


class _Interrupted(Exception):
    """The transfer stopped for a reason that may pass; `wait` is how many seconds the server asked for, if it did."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(slots=True)
class _Part:
    """A file on its way: `path` holds the bytes so far, `tag` the server's name for this version of it (ETag)."""

    path: Path
    have: int
    tag: str | None

    @classmethod
    def find(cls, target: Path) -> "_Part":
        path = target.with_name(f"{target.name}.part")
        try:
            tag = json.loads(path.with_suffix(".part-tag").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            tag = None
        return cls(path, path.stat().st_size if path.exists() else 0, tag if isinstance(tag, str) else None)

    def begin(self, tag: str | None) -> None:
        """Forget the bytes so far: what comes now is the version `tag` from its first byte."""
        self.have, self.tag = 0, tag
        self.path.write_bytes(b"")
        self.path.with_suffix(".part-tag").write_text(json.dumps(tag), encoding="utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".part-tag").unlink(missing_ok=True)
        self.have, self.tag = 0, None


def download(
    model: CatalogModel,
    folder: Path,
    *,
    hub: str = HUB,
    token: str = "",
    pins: Path | None = None,
    progress: Progress = quiet,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch the model's files into `folder`; those that are there already and right are kept.

    `token` tells the hub who asks. `pins` is the file that remembers what came where no hash is known beforehand.
    `progress` gets ("download", bytes so far, bytes in all as far as known); `pause` waits between attempts. Raises
    DownloadError where the hub cannot be reached, lacks a file, or sends another than promised; StorageFullError.
    """
    asked = Hub(hub, token)
    folder.mkdir(parents=True, exist_ok=True)
    remembered = None if pins is None else Pins(pins)
    done, total = 0, model.bytes
    limits = httpx.Timeout(30.0, connect=15.0)
    agent = {"User-Agent": f"shoebox/{__version__}"}
    # The environment's proxy settings hold, as an owner expects of a download.
    with httpx.Client(follow_redirects=True, timeout=limits, headers=agent) as client:
        for listed in model.files:
            before, target = done, folder / listed.name

            def report(have: int, before: int = before) -> None:
                progress("download", before + have, max(total, before + have))

            fetcher = _Fetcher(client, asked, model.repository, model.revision, report, pause)
            if remembered is None:
                done += fetcher.fetch(target, listed)
                continue
            file = remembered.of(model.repository, model.revision, listed)
            try:
                done += fetcher.fetch(target, file)
            except _OtherBytes as error:
                if file == listed:
                    raise
                raise DownloadError(
                    "{error} It was another when it came the first time, as {path} remembers.",
                    "Such a file should never change. If you know why it did, delete that one and try again.",
                    error=error.message,
                    path=remembered.path,
                ) from error
            if file.sha256 is None:
                remembered.add(model.repository, model.revision, target)
    sync(folder)


@dataclass(frozen=True, slots=True)
class _Fetcher:
    """Fetches files of one revision from one hub."""

    client: httpx.Client
    hub: Hub
    repository: str
    revision: str
    report: Callable[[int], None]
    pause: Callable[[float], None]

    def fetch(self, target: Path, file: CatalogFile) -> int:
        """Fetch one file to `target` and return its bytes. What came of an interrupted one is kept beside it."""
        if target.is_file():
            if _fits(target, file):
                self.report(target.stat().st_size)
                return target.stat().st_size
            target.unlink()
        url = self.hub.url(self.repository, self.revision, file.name)
        part = _Part.find(target)
        promise = self._insist(url, part, file)
        _check(url, part, file, promise)
        sync(part.path)
        part.path.replace(target)
        part.discard()
        return target.stat().st_size

    def _insist(self, url: str, part: _Part, file: CatalogFile) -> Promise:
        """Transfer the file, again and again where that may help; return what the hub says of it."""
        failures = 0
        while True:
            before = part.have
            try:
                return self._transfer(url, part, file)
            except (httpx.TransportError, httpx.DecodingError, _Interrupted) as error:
                failures = 0 if part.have > before else failures + 1
                offline = isinstance(error, httpx.ConnectError) and not part.have
                asked = error.wait if isinstance(error, _Interrupted) else None
                tired = failures >= (_ATTEMPTS_OFFLINE if offline else _ATTEMPTS)
                if tired or (asked or 0.0) > _LONGEST_ASKED:
                    reason = str(error) or type(error).__name__
                    next_step = _OFFLINE if offline else _LATER
                    raise DownloadError(
                        "{url} could not be fetched: {reason}.", next_step, url=url, reason=reason
                    ) from error
                # Without a jitter: one box in a home does not meet a thousand others that wait as long as it does.
                self.pause(min(_LONGEST_PAUSE, 2.0**failures) if asked is None else asked)
            except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
                raise DownloadError(
                    "{url} is not an address to fetch from: {error}.", "Check SHOEBOX_HUB.", url=url, error=error
                ) from error

    def _transfer(self, url: str, part: _Part, file: CatalogFile) -> Promise:
        """Fetch what is missing of the part."""
        headers = {"Accept-Encoding": "identity", **self.hub.headers()}
        # Without a version's name only a known hash can tell whether the two pieces belong together.
        if part.have and (part.tag or file.sha256):
            headers["Range"] = f"bytes={part.have}-"
            if part.tag:
                headers["If-Range"] = part.tag
        # Where it is redirected to another host, httpx leaves the token out.
        with self.client.stream("GET", url, headers=headers) as response:
            self._refuse(url, response)
            promise = self.hub.promise(response, self.revision)
            size = file.bytes if file.bytes is not None else promise.bytes
            if promise.bytes not in {None, size}:
                part.discard()
                raise _OtherBytes(
                    "{url} has {bytes} bytes, not {size} as promised.",
                    _CHANGED,
                    url=url,
                    bytes=promise.bytes,
                    size=size,
                )
            if response.status_code == 416:
                if part.have and part.have == size:
                    return promise  # all of it had come, only the renaming had not happened
                part.discard()
                raise _Interrupted(say("the server has no such range"))
            length = response.headers.get("Content-Length", "")
            if response.status_code == 206:
                match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
                if match is None or int(match[1]) != part.have or "Range" not in headers:
                    part.discard()
                    raise _Interrupted(say("the server sent another range than asked for"))
            else:
                tag = response.headers.get("ETag", "")
                part.begin(tag if tag.startswith('"') else None)  # a weak tag does not promise the same bytes
            end = part.have + int(length) if length.isdecimal() else None
            if size is not None and end is not None and end != size:
                part.discard()
                raise _OtherBytes(
                    "{url} has {end} bytes, not {size} as promised.", _CHANGED, url=url, end=end, size=size
                )
            with part.path.open("ab") as disk:
                self._copy(url, response, disk, part, _LARGEST_UNTOLD if size is None else size)
            if end is not None and part.have < end:
                raise _Interrupted(say("the connection was cut"))
        return promise

    def _refuse(self, url: str, response: httpx.Response) -> None:
        """Tell answers that will not get better from those that may."""
        code = response.status_code
        if code in {200, 206, 416}:
            return
        # A store that the hub sends to says 403 once the address, which is good for a while, is too old.
        outside = not self.hub.owns(response.url) and code in {401, 403}
        if code in {408, 429} or code >= 500 or outside:
            raise _Interrupted(say("the server answered {code}", code=code), retry_after(response))
        raise self.hub.refusal(url, code)

    def _copy(self, url: str, response: httpx.Response, disk: BinaryIO, part: _Part, limit: int) -> None:
        for chunk in response.iter_raw():  # as it comes: what a larger chunk waits for is lost when the line is cut
            if part.have + len(chunk) > limit:
                disk.close()
                part.discard()
                raise _OtherBytes("{url} sends more than {limit} bytes.", _CHANGED, url=url, limit=limit)
            try:
                disk.write(chunk)
                disk.flush()
            except OSError as error:
                raise StorageFullError(
                    "{path} cannot be written: {error}.", "Make room and run it again.", path=part.path, error=error
                ) from error
            part.have += len(chunk)
            self.report(part.have)


def _check(url: str, part: _Part, file: CatalogFile, promise: Promise) -> None:
    """Raise DownloadError where what came is not what was promised: by Shoebox itself, or else by the hub."""
    if file.bytes is not None and part.have != file.bytes:
        part.discard()
        raise _OtherBytes(
            "{url} sent {have} bytes, not {bytes} as promised.", _DAMAGED, url=url, have=part.have, bytes=file.bytes
        )
    if file.sha256 and sha256(part.path) != file.sha256:
        part.discard()
        raise _OtherBytes("What came from {url} is not the promised file: its SHA-256 differs.", _DAMAGED, url=url)
    if not file.sha256 and not promise.holds(part.path):
        part.discard()
        raise DownloadError("What came from {url} is not what the hub says it is: its hash differs.", _DAMAGED, url=url)


def _fits(path: Path, file: CatalogFile) -> bool:
    """Whether a file from an earlier run is right; one of unknown hash and size was checked when it came."""
    size_fits = file.bytes is None or path.stat().st_size == file.bytes
    return size_fits and (file.sha256 is None or sha256(path) == file.sha256)


def digest(text: str) -> str:
    """Return a short name for a hub's address, so that two hubs' partial files are never joined."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
