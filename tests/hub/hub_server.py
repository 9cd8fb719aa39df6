"""A server on this machine that answers as the model hub does, with its store of large files on another host name."""

import hashlib
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, quote, unquote, urlsplit

from appliance.modelstore.files import sha256

LARGE = 100_000  # bytes from which a file lies in the store rather than in git
SIGNATURE = "signed-for-a-while"


@dataclass(frozen=True)
class Asked:
    """One request: who was asked (`hub` or `store`), for what, from which byte, and with which Authorization."""

    who: str
    path: str
    range: str | None
    authorization: str | None


@dataclass
class HubServer:
    """Serves the files in `folder` as `repository` at `revision`; the fields below say how it behaves."""

    folder: Path
    repository: str = "owner/blip"
    revision: str = "a" * 40
    token: str | None = None  # where one is set, the repository is gated
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)  # that the next requests get instead
    cuts: list[int] = field(default_factory=list)  # bytes after which each of the next large transfers is cut off
    stale: int = 0  # so many of the next redirects carry a signature that has run out
    told: dict[str, str] = field(default_factory=dict)  # headers of the hub's that are other than they should be
    asked: list[Asked] = field(default_factory=list)
    address: str = ""
    store: str = ""

    def of(self, who: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.who == who]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer
    who: str

    def log_message(self, format: str, *args: object) -> None:
        return None

    def reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        hub, address = self.hub, urlsplit(self.path)
        hub.asked.append(
            Asked(self.who, unquote(address.path), self.headers.get("Range"), self.headers.get("Authorization"))
        )
        if hub.answers:
            status, headers = hub.answers.pop(0)
            return self.reply(status, headers, b"busy")
        try:
            if self.who == "store":
                return self.send_large(unquote(address.path).removeprefix("/repos/"), parse_qs(address.query))
            return self.resolve(unquote(address.path))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def resolve(self, path: str) -> None:
        hub = self.hub
        if hub.token is not None and self.headers.get("Authorization") != f"Bearer {hub.token}":
            code = 403 if "Authorization" in self.headers else 401
            return self.reply(code, {"X-Error-Code": "GatedRepo"}, b"Access to this model is restricted.")
        prefix, cache = f"/{hub.repository}/resolve/{hub.revision}/", f"/api/resolve-cache/models/{hub.repository}/"
        name = path.removeprefix(prefix).removeprefix(f"{cache}{hub.revision}/")
        file = hub.folder / name
        if name == path or not file.is_file():
            return self.reply(404, {"X-Error-Code": "EntryNotFound"}, b"Entry not found")
        commit = {"X-Repo-Commit": hub.revision}
        if file.stat().st_size >= LARGE:
            digest = _sha256(file, file.stat().st_mtime_ns)
            signature = "too-old" if hub.stale else SIGNATURE
            hub.stale = max(0, hub.stale - 1)
            where = f"{hub.store}/repos/{quote(name)}?Expires=1&Signature={signature}"
            linked = {"X-Linked-Size": str(file.stat().st_size), "X-Linked-ETag": f'"{digest}"', "Location": where}
            return self.reply(302, {**commit, **linked, **hub.told}, b"Found. Redirecting")
        content = file.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        if path.startswith(prefix):
            return self.reply(
                307, {**commit, "Location": f"{cache}{hub.revision}/{quote(name)}"}, b"Temporary Redirect"
            )
        return self.reply(200, {**commit, "ETag": f'"{blob}"', **hub.told}, content)

    def send_large(self, name: str, query: dict[str, list[str]]) -> None:
        hub, file = self.hub, self.hub.folder / name
        if query.get("Signature") != [SIGNATURE]:
            return self.reply(403, {}, b"Request has expired")
        if self.headers.get("Authorization"):
            return self.reply(400, {}, b"Only one way to authenticate is allowed")
        size, status, start = file.stat().st_size, 200, 0
        headers = {"ETag": f'"{file.stat().st_mtime_ns}-{size}"', "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range") in {None, headers["ETag"]}:
            start = int(asked[1])
            if start >= size:
                return self.reply(416, {"Content-Range": f"bytes */{size}"})
            status, headers["Content-Range"] = 206, f"bytes {start}-{size - 1}/{size}"
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(size - start)}.items():
            self.send_header(key, value)
        self.end_headers()
        left = size - start
        if hub.cuts:
            left, self.close_connection = hub.cuts.pop(0), True
        with file.open("rb") as content:
            content.seek(start)
            while left > 0 and (chunk := content.read(min(left, 1 << 20))):
                self.wfile.write(chunk)
                left -= len(chunk)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@cache
def _sha256(file: Path, _: int) -> str:
    return sha256(file)


@contextmanager
def serving(hub: HubServer) -> Iterator[HubServer]:
    """Answer on two free ports of this machine, under two host names, until the block ends."""
    servers = [_Server(("127.0.0.1", 0), type(who, (_Handler,), {"hub": hub, "who": who})) for who in ("hub", "store")]
    hub.address = f"http://127.0.0.1:{servers[0].server_port}"
    hub.store = f"http://localhost:{servers[1].server_port}"
    threads = [Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def http_date(seconds_from_now: float) -> str:
    """Return a point in time as HTTP writes it."""
    return formatdate(time.time() + seconds_from_now, usegmt=True)
