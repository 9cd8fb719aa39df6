"""The page in the page's place: where that does not start, this one says why, and has a button to try again.

It stands on Python's own server, needs no library and no sound settings, and answers every address with 503.
"""

import hmac
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance import settings as settings_module
from appliance.assets import asset
from appliance.device import service
from appliance.device.listening import listening_socket, passed_socket
from appliance.device.notify import notify
from appliance.errors import ServiceError, SettingsError
from appliance.pages.attempts import Attempts
from appliance.pages.origin import is_foreign, is_home_name
from appliance.sentences import say
from appliance.work.diagnosis import REASONS, diagnose
from appliance.work.finding import Finding

LOOK_SECONDS = 5.0
FAREWELL_SECONDS = 0.5  # for the answer that is under way
TRIES = 10  # in a quarter of an hour, by one device
AGAIN = "/rescue/try-again"
SHEET = "/rescue/page.css"
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_MACHINE_PATHS = ("/api/", "/health/", "/metrics")
_MOST = 4096  # bytes of a form
_UNREAD = 1 << 20  # bytes of another body, so that who sends it hears the answer
_AT_ONCE = 32  # requests

log = logging.getLogger(__name__)


class Rescue:
    """What the page says, who may give the order, and whether it is over: the order was given, or we are to stop."""

    def __init__(self, look: Callable[[], list[Finding]]) -> None:
        self._look = look
        self.findings = look()
        self.attempts = Attempts(TRIES)
        self.token = secrets.token_urlsafe(32)
        self.over = threading.Event()
        sheets = [asset(f"web/static/css/{name}.css").read_bytes() for name in ("tokens", "rescue")]
        self.sheet = b"\n".join(sheets)
        templates = Environment(
            loader=FileSystemLoader(asset("web/templates")), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("rescue.html")

    def look_again(self) -> bool:
        """Look what is wrong now; return whether a reason for which the page did not start has gone."""
        before, self.findings = self.findings, self._look()
        return _hindered(before) and not _hindered(self.findings)

    def page(self, *, trouble: str = "", again: bool = False) -> bytes:
        """Return the page, or with `again` the one that says that Shoebox starts."""
        text = self._template.render(
            sheet=SHEET, findings=self.findings, token=self.token, action=AGAIN, trouble=trouble, again=again,
            can_order="restart" in service.orders(),
        )  # fmt: skip
        return text.encode()

    def problem(self) -> dict[str, Any]:
        """Return the same for programs (RFC 9457)."""
        first = self.findings[0] if self.findings else None
        return {
            "type": "urn:shoebox:rescue",
            "title": say("Shoebox does not start"),
            "status": 503,
            "detail": first.text if first else say("The page did not start, and what it needs is there."),
            "next_step": first.next_step if first else say("Try again."),
        }

    def order(self) -> str:
        """Have Shoebox started again; return why that cannot be, "" where it was told."""
        if "restart" not in service.orders():
            return say("Where you started Shoebox, stop it and start it again.")
        try:
            service.give("restart")
        except ServiceError as error:
            return str(error)
        self.over.set()
        return ""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: "Server"
    server_version, sys_version = "Shoebox", ""
    timeout = 10  # seconds of silence

    def handle_any(self) -> None:
        """Answer whatever is asked."""
        rescue, host = self.server.rescue, self.headers.get("Host", "")
        path = self.path.partition("?")[0]
        if not is_home_name(host):
            self._send(421, b"Open this box by its address at home.\n", "text/plain; charset=utf-8")
        elif path == "/health/live":
            self._send_json(200, {"status": "ok", "rescue": True})
        elif path == SHEET:
            self._send(200, rescue.sheet, "text/css; charset=utf-8")
        elif self.command == "POST" and path == AGAIN:
            self._try_again(rescue, host)
        elif path.startswith(_MACHINE_PATHS) or self._wants_json():
            self._send_json(503, rescue.problem())
        else:
            self._send(503, rescue.page())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Note nothing: who asked for what is nobody's business."""

    def _try_again(self, rescue: Rescue, host: str) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST:
            self._send(413, rescue.page(trouble=say("That was no form of this page.")))
            return
        sent = parse_qs(self.rfile.read(int(length)).decode("ascii", errors="replace")).get("token", [""])[-1]
        wait = rescue.attempts.wait(str(self.client_address[0]))
        if is_foreign(host, self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")):
            self._send(403, rescue.page(trouble=say("Another web site's page asked for that. Press the button here.")))
        elif wait:
            minutes = -(-wait // 60)
            trouble = say("That was tried too often. Wait {minutes} minutes, then try again.", minutes=minutes)
            self._send(429, rescue.page(trouble=trouble), more={"Retry-After": str(wait)})
        elif not hmac.compare_digest(sent.encode(), rescue.token.encode()):
            self._send(403, rescue.page(trouble=say("This page was open for too long. Press the button once more.")))
        elif refused := rescue.order():
            self._send(503, rescue.page(trouble=refused))
        else:
            self._send(200, rescue.page(again=True), more={"Refresh": "15; url=/"})

    def _wants_json(self) -> bool:
        accept = self.headers.get("Accept", "")
        return "json" in accept and "text/html" not in accept

    def _send_json(self, status: int, told: Mapping[str, Any]) -> None:
        kind = "application/json" if status < 400 else "application/problem+json"
        self._send(status, json.dumps(told).encode(), kind)

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "text/html; charset=utf-8",
        more: Mapping[str, str] | None = None,
    ) -> None:
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Connection": "close",
            **({"Retry-After": "30"} if status == 503 else {}),
            **(more or {}),
        }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        length = self.headers.get("Content-Length", "")
        if status != 200 and length.isdecimal():
            self.connection.settimeout(1)
            self.rfile.read1(min(int(length), _UNREAD))


class Server(ThreadingHTTPServer):
    """The server, on a socket that listens already; what is more than it can answer at once is hung up on."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, rescue: Rescue) -> None:
        address = listening.getsockname()
        self.address_family = listening.family
        super().__init__(address, Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.rescue = rescue
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, where one is free."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and be free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note what went wrong; who went away in mid-answer is nobody's trouble."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            log.warning("a request was not answered", exc_info=True)


def serve(overrides: Mapping[str, object]) -> int:
    """Serve until the order to start again was given, or SIGTERM or SIGINT comes; return 0.

    It listens where systemd does for it, else where the command line and the settings say. Once what kept the page from
    starting is over, it gives the order by itself. Raises SettingsError where it cannot listen.
    """
    rescue = Rescue(lambda: diagnose(overrides))
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, lambda *_: rescue.over.set())
    with passed_socket() or _listen(overrides) as listening, Server(listening, rescue) as server:
        answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2})
        answering.start()
        notify("READY=1")
        host, port = listening.getsockname()[:2]
        log.warning("the page does not start; this one says why, on port %d", port)
        print(say("Why the page does not start stands at {url}", url=f"http://{_local(host)}:{port}"), flush=True)
        while not rescue.over.wait(LOOK_SECONDS):
            notify("WATCHDOG=1")
            if rescue.look_again() and not rescue.order():
                log.warning("what kept the page from starting is over; it is started again")
        notify("STOPPING=1")
        time.sleep(FAREWELL_SECONDS)
        server.shutdown()
        answering.join()
    return 0


def _listen(overrides: Mapping[str, object]) -> socket.socket:
    """Listen where the settings say; where they cannot be used, their host and port alone may do."""
    try:
        found = settings_module.load(overrides=overrides)
    except SettingsError:
        alone = {name: os.environ[name] for name in ("SHOEBOX_HOST", "SHOEBOX_PORT") if name in os.environ}
        where = {name: value for name, value in overrides.items() if name in {"host", "port"}}
        found = settings_module.load(alone, Path(os.devnull), where)
    return listening_socket(found.host, found.port)


def _local(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - is shown, not bound


def _hindered(findings: list[Finding]) -> bool:
    return any(one.about in REASONS for one in findings)
