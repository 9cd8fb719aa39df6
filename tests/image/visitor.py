"""Somebody at home with a browser: waits for the page, makes the first visit, sends photos, presses buttons."""

import http.client
import http.cookiejar
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PASSWORD = "three short words"  # noqa: S105 - of nobody


class Visitor:
    """A browser with its cookies, on one box."""

    def __init__(self, port: int) -> None:
        self.place = f"http://127.0.0.1:{port}"
        self.key = ""
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({})
        )

    def ask(self, path: str, form: dict[str, str] | None = None, patience: float = 300) -> tuple[int, str]:
        """Ask for a page, or send a form, follow where it leads, and return the last page."""
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        asked = urllib.request.Request(self.place + path, body, {"Origin": self.place} if body else {})
        try:
            with self._browser.open(asked, timeout=patience) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def api(self, method: str, path: str, body: bytes | None = None, patience: float = 120) -> tuple[int, Any]:
        """Ask the API with a key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        asked = urllib.request.Request(self.place + path, body, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=patience) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_for_the_page(self, patience: float, still: Callable[[], None] = lambda: None) -> None:
        """Wait until the page can take uploads in; `still` raises where there is nothing to wait for any more."""

        def ready() -> bool:
            still()
            return self.ask("/health/ready", patience=30)[0] == 200

        wait(ready, "the page", patience)

    def first_visit(self, code: str) -> tuple[int, str]:
        """Make the owner's account with the code from the card."""
        _, page = self.ask("/welcome")
        form = {"csrf": token_in(page), "claim_code": code, "name": "Anna", "password": PASSWORD, "again": PASSWORD}
        return self.ask("/welcome", form)

    def press(self, page: str, button: str, **fields: str) -> tuple[int, str]:
        """Send the form of `page` that goes to `button`."""
        _, text = self.ask(page)
        return self.ask(button, {"csrf": token_in(text), **fields})

    def upload(self, file: Path, patience: float = 300) -> Any:
        """Send a file and return the item that was acknowledged."""
        status, item = self.api("POST", f"/api/v1/uploads?name={file.name}", file.read_bytes(), patience)
        assert status in {200, 201}, (status, item)
        return item

    def finished(self, number: int, patience: float) -> Any:
        """Wait until an item is completed or failed, and return it."""
        found: dict[str, Any] = {}

        def done() -> bool:
            status, item = self.api("GET", f"/api/v1/items/{number}")
            assert status == 200, item
            found.update(item)
            return found["status"] in {"completed", "failed"}

        wait(done, f"item {number}", patience)
        return found


def wait(condition: Callable[[], bool], what: str, patience: float) -> None:
    """Wait until a condition holds; what cannot be asked yet does not hold."""
    end = time.monotonic() + patience
    while True:
        try:
            if condition():
                return
        except (OSError, http.client.HTTPException):
            pass
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(1)


def token_in(page: str) -> str:
    """Return the token that a page's forms carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]
