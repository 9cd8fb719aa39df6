"""Fetch a model's files from the hub: resumed where they were cut off, checked against what was promised."""

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import httpx

from appliance import __version__
from appliance.errors import DownloadError, StorageFullError
from appliance.modelstore.catalog import CatalogFile, CatalogModel
from appliance.modelstore.files import Progress, quiet, sha256, sync

HUB = "https://huggingface.co"

_ATTEMPTS = 6  # in a row without a byte coming
_ATTEMPTS_OFFLINE = 3  # where nothing has come and nobody answers: most likely there is no Internet
_LONGEST_PAUSE = 60.0
_LARGEST_UNTOLD = 64 << 20  # a file whose size nobody has told is a small one
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')
_LATER = "Run the same command again: it goes on where it stopped."
_OFFLINE = "Check that this box reaches the Internet, or install from a folder: shoebox models install --from FOLDER."
_DAMAGED = "Run the same command again: it starts this file anew."


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
    progress: Progress = quiet,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch the model's files into `folder`; those that are there already and right are kept.

    `progress` gets ("download", bytes so far, bytes in all as far as known); `pause` waits between attempts. Raises
    DownloadError where the hub cannot be reached, lacks a file, or sends another than promised; StorageFullError.
    """
    if not hub.startswith(("http://", "https://")):
        raise DownloadError(f"{hub} is not the address of a hub.", "Let SHOEBOX_HUB begin with https:// or http://.")
    folder.mkdir(parents=True, exist_ok=True)
    done, total = 0, model.bytes
    limits = httpx.Timeout(30.0, connect=15.0)
    agent = {"User-Agent": f"shoebox/{__version__}"}
    # The environment's proxy settings hold, as an owner expects of a download.
    with httpx.Client(follow_redirects=True, timeout=limits, headers=agent) as client:
        for file in model.files:
            where = f"{model.repository}/resolve/{model.revision}/{quote(file.name)}"
            url, before = f"{hub.rstrip('/')}/{where}", done

            def report(have: int, before: int = before) -> None:
                progress("download", before + have, max(total, before + have))

            done += fetch(client, url, folder / file.name, file, report=report, pause=pause)
    sync(folder)


def fetch(
    client: httpx.Client,
    url: str,
    target: Path,
    file: CatalogFile,
    *,
    report: Callable[[int], None],
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Fetch one file to `target` and return its bytes. What came of an interrupted one is kept beside it as `.part`."""
    if target.is_file():
        if _fits(target, file):
            report(target.stat().st_size)
            return target.stat().st_size
        target.unlink()
    part = _Part.find(target)
    failures = 0
    while True:
        before = part.have
        try:
            promised = _transfer(client, url, part, file, report)
            break
        except (httpx.TransportError, httpx.DecodingError, _Interrupted) as error:
            failures = 0 if part.have > before else failures + 1
            offline = isinstance(error, httpx.ConnectError) and not part.have
            if failures >= (_ATTEMPTS_OFFLINE if offline else _ATTEMPTS):
                reason = str(error) or type(error).__name__
                next_step = _OFFLINE if offline else _LATER
                raise DownloadError(f"{url} could not be fetched: {reason}.", next_step) from error
            asked = error.wait if isinstance(error, _Interrupted) else None
            pause(min(_LONGEST_PAUSE, 2.0**failures if asked is None else asked))
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise DownloadError(f"{url} is not an address to fetch from: {error}.", "Check SHOEBOX_HUB.") from error
    _check(url, part, file, promised)
    sync(part.path)
    part.path.replace(target)
    part.discard()
    return target.stat().st_size


def _transfer(
    client: httpx.Client, url: str, part: _Part, file: CatalogFile, report: Callable[[int], None]
) -> str | None:
    """Fetch what is missing of the part; return the SHA-256 that the hub names for the file, where it does."""
    headers = {"Accept-Encoding": "identity"}
    # Without a version's name only a known hash can tell whether the two pieces belong together.
    if part.have and (part.tag or file.sha256):
        headers["Range"] = f"bytes={part.have}-"
        if part.tag:
            headers["If-Range"] = part.tag
    with client.stream("GET", url, headers=headers) as response:
        _refuse(url, response)
        promised = next((_linked(each) for each in (*response.history, response) if _linked(each)), None)
        if response.status_code == 416:
            if part.have and part.have == file.bytes:
                return promised  # all of it had come, only the renaming had not happened
            part.discard()
            raise _Interrupted("the server has no such range")
        length = response.headers.get("Content-Length", "")
        if response.status_code == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != part.have or "Range" not in headers:
                part.discard()
                raise _Interrupted("the server sent another range than asked for")
        else:
            tag = response.headers.get("ETag", "")
            part.begin(tag if tag.startswith('"') else None)  # a weak tag does not promise the same bytes
        end = part.have + int(length) if length.isdecimal() else None
        if file.bytes is not None and end is not None and end != file.bytes:
            part.discard()
            raise DownloadError(f"{url} has {end} bytes, not {file.bytes} as promised.", "The model has changed there.")
        with part.path.open("ab") as disk:
            _copy(url, response, disk, part, file, report)
        if end is not None and part.have < end:
            raise _Interrupted("the connection was cut")
    return promised


def _refuse(url: str, response: httpx.Response) -> None:
    """Tell answers that will not get better from those that may."""
    code = response.status_code
    if code in {200, 206, 416}:
        return
    if code == 429 or code >= 500:
        wait = response.headers.get("Retry-After", "")
        raise _Interrupted(f"the server answered {code}", float(wait) if wait.isdecimal() else None)
    if code in {401, 403}:
        raise DownloadError(f"{url} may not be fetched (the server answered {code}).", "Check SHOEBOX_HUB.")
    raise DownloadError(f"{url} is not there (the server answered {code}).", "Check SHOEBOX_HUB, or update Shoebox.")


def _copy(
    url: str, response: httpx.Response, disk: BinaryIO, part: _Part, file: CatalogFile, report: Callable[[int], None]
) -> None:
    limit = _LARGEST_UNTOLD if file.bytes is None else file.bytes
    for chunk in response.iter_raw():  # as it comes: what a larger chunk waits for is lost when the line is cut
        if part.have + len(chunk) > limit:
            disk.close()
            part.discard()
            raise DownloadError(f"{url} sends more than {limit} bytes.", "The model has changed there.")
        try:
            disk.write(chunk)
            disk.flush()
        except OSError as error:
            raise StorageFullError(f"{part.path} cannot be written: {error}.", "Make room and run it again.") from error
        part.have += len(chunk)
        report(part.have)


def _check(url: str, part: _Part, file: CatalogFile, promised: str | None) -> None:
    expected = file.sha256 or promised
    if file.bytes is not None and part.have != file.bytes:
        part.discard()
        raise DownloadError(f"{url} sent {part.have} bytes, not {file.bytes} as promised.", _DAMAGED)
    if expected and sha256(part.path) != expected:
        part.discard()
        raise DownloadError(f"What came from {url} is not the promised file: its SHA-256 differs.", _DAMAGED)


def _fits(path: Path, file: CatalogFile) -> bool:
    """Whether a file from an earlier run is right; one of unknown hash and size was checked when it came."""
    size_fits = file.bytes is None or path.stat().st_size == file.bytes
    return size_fits and (file.sha256 is None or sha256(path) == file.sha256)


def _linked(response: httpx.Response) -> str | None:
    """Return the SHA-256 that the hub names in the answer that redirects to a large file."""
    match = _SHA256.fullmatch(response.headers.get("X-Linked-ETag", ""))
    return match[1] if match else None


def digest(text: str) -> str:
    """Return a short name for a hub's address, so that two hubs' partial files are never joined."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
