"""The model hub: its address, who asks it, and what its answers promise of a file."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import httpx

from appliance.errors import DownloadError

HUB = "https://huggingface.co"

_TOKEN = re.compile(r"[!-~]{1,512}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA1, _SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
_HERE = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Promise:
    """What the hub says of a file: its bytes, its SHA-256, or a SHA-1 (git's own, or a mirror's); None if nothing."""

    bytes: int | None = None
    sha256: str | None = None
    sha1: str | None = None

    def holds(self, path: Path) -> bool:
        """Whether the file at `path` is the promised one, as far as anything was promised."""
        if self.bytes is not None and path.stat().st_size != self.bytes:
            return False
        with path.open("rb") as file:
            if self.sha256:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
            if self.sha1:
                content = file.read()  # only small files are stored in git itself
                as_git = b"blob %d\0" % len(content) + content
                return self.sha1 in {
                    hashlib.sha1(each, usedforsecurity=False).hexdigest() for each in (as_git, content)
                }
        return True


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub at `address`; `token` says who asks, and goes to this address alone."""

    address: str
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.address.startswith(("http://", "https://")):
            raise DownloadError(
                "{address} is not the address of a hub.",
                "Let SHOEBOX_HUB begin with https:// or http://.",
                address=self.address,
            )
        if self.token and not _TOKEN.fullmatch(self.token):
            raise DownloadError("HF_TOKEN is not a token.", "Copy it again from the hub's page, without spaces.")

    def url(self, repository: str, revision: str, name: str) -> str:
        """Return a file's address."""
        return f"{self.address.rstrip('/')}/{repository}/resolve/{revision}/{quote(name)}"

    def owns(self, url: httpx.URL) -> bool:
        """Whether `url` is the hub's own, not that of a store which it sends us to."""
        own = httpx.URL(self.address)
        return (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port)

    def headers(self) -> dict[str, str]:
        """Return what a request to the hub carries; the token never crosses a network in the clear."""
        own = httpx.URL(self.address)
        if self.token and (own.scheme == "https" or own.host in _HERE):
            return {"Authorization": f"Bearer {self.token}"}
        return {}

    def promise(self, response: httpx.Response, revision: str) -> Promise:
        """Return what the hub itself says of the file, on the way to it or in answering.

        Raises DownloadError where it answers for another revision than the one asked for.
        """
        size = sha256 = sha1 = None
        for answer in (*response.history, response):
            if not self.owns(answer.url):
                continue
            commit = answer.headers.get("X-Repo-Commit", revision)
            if commit != revision and _COMMIT.fullmatch(revision):
                raise DownloadError(
                    "{url} answers for the revision {commit}.",
                    "Try again later, or use another hub.",
                    url=answer.url,
                    commit=commit[:40],
                )
            linked = answer.headers.get("X-Linked-Size", "")
            size = int(linked) if size is None and linked.isascii() and linked.isdecimal() else size
            for name in ("X-Linked-ETag", "ETag"):
                tag = answer.headers.get(name, "").removeprefix("W/").strip('"')
                sha256 = sha256 or (tag if _SHA256.fullmatch(tag) else None)
                sha1 = sha1 or (tag if _SHA1.fullmatch(tag) else None)
        return Promise(size, sha256, sha1)

    def refusal(self, url: str, code: int) -> DownloadError:
        """Return what to say of an answer that will not get better."""
        if code not in {401, 403}:
            return DownloadError(
                "{url} is not there (the server answered {code}).",
                "Check SHOEBOX_HUB, or update Shoebox.",
                url=url,
                code=code,
            )
        if not self.token:
            return DownloadError(
                "{url} may not be fetched by everybody (the server answered {code}).",
                "If the model is for members only, make a token on the hub's page and run the same command with"
                " HF_TOKEN=… before it; otherwise check SHOEBOX_HUB.",
                url=url,
                code=code,
            )
        if not self.headers():
            return DownloadError(
                "{url} may not be fetched (the server answered {code}); HF_TOKEN was not sent, as it would go"
                " unencrypted.",
                "Use an address of the hub that begins with https://.",
                url=url,
                code=code,
            )
        return DownloadError(
            "{url} may not be fetched with this HF_TOKEN (the server answered {code}).",
            "Agree to the model's terms on its page, or make a new token that may read it.",
            url=url,
            code=code,
        )


def retry_after(response: httpx.Response) -> float | None:
    """Return how many seconds the server asks to wait, None where it does not; it may tell them, or a point in time."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        # The server's own clock, where it tells it: a box without a battery may think that it is another year.
        now = parsedate_to_datetime(response.headers["Date"]) if "Date" in response.headers else datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):  # TypeError: one of them names no zone
        return None
