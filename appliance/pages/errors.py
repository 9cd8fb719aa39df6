"""Exception in, answer out: the one place that decides the HTTP status of an error and how it is told.

Under `/api`, `/health` and `/metrics` an error is `application/problem+json` with `type`, `title`, `status`, `detail`
and `next_step`; anywhere else it is a page, and so where a browser was sent there for a file and would show the error.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from appliance import errors
from appliance.errors import SettingsError, ShoeboxError
from appliance.pages.box import Box
from appliance.pages.templates import Templates, html
from appliance.sentences import ENGLISH, Language, say

log = logging.getLogger(__name__)

MACHINE_PATHS = ("/api/", "/health/", "/metrics")


class RequestError(ShoeboxError):
    """The request asks for something that there is not, or in a way that cannot be understood."""


class CutOffError(ShoeboxError):
    """The sender went away, or sent less than it had announced."""


class SilentSenderError(ShoeboxError):
    """The sender sent nothing for too long."""


class ForeignPageError(ShoeboxError):
    """Another web site's page tried to change something on this box."""


class WrongAddressError(ShoeboxError):
    """The box was called by a name that is not one of the home network's."""


class StrangerError(ShoeboxError):
    """Nobody has said who asks, or nobody that the box knows."""


class FirstVisitError(StrangerError):
    """The box has no owner yet."""


class NotAllowedError(ShoeboxError):
    """Who asks may not do that."""


class ForgedFormError(ShoeboxError):
    """A change does not carry the token of the session it was asked for with."""


class NothingWaitingError(ShoeboxError):
    """There is nothing to call off."""


class ChangedMeanwhileError(ShoeboxError):
    """Somebody else changed what was to be changed."""


class NotReadyError(ShoeboxError):
    """What was asked for is not made yet."""


class ModelOrderError(ShoeboxError):
    """What is asked of a model cannot be done with it as things stand."""


class TooOftenError(ShoeboxError):
    """Somebody tries a password again and again."""


class StoppingError(ShoeboxError):
    """The server stops before it could answer."""


class TusVersionError(ShoeboxError):
    """The sender speaks another version of tus."""


class TusTypeError(ShoeboxError):
    """A piece of a file came under another name than tus gives it."""


class OffsetError(ShoeboxError):
    """A piece of a file begins elsewhere than where the last one ended."""


class ChecksumError(ShoeboxError):
    """A piece of a file arrived otherwise than it was sent."""


class RefusedSettingsError(SettingsError):
    """Some of the settings' new values cannot be used, and none was changed; `refused` says why, by name."""

    def __init__(
        self, message: str, next_step: str = "", /, refused: Mapping[str, SettingsError] = MappingProxyType({})
    ) -> None:
        super().__init__(message, next_step)
        self.refused = refused


STATUS: dict[type[Exception], tuple[int, str]] = {
    RequestError: (400, say("The request cannot be understood")),
    CutOffError: (400, say("The file was cut off")),
    SilentSenderError: (408, say("Nothing came for too long")),
    ForeignPageError: (403, say("Not allowed from there")),
    WrongAddressError: (421, say("Wrong address")),
    StrangerError: (401, say("Not signed in")),
    NotAllowedError: (403, say("Not allowed")),
    ForgedFormError: (403, say("Not from this page")),
    NothingWaitingError: (409, say("Nothing to call off")),
    ChangedMeanwhileError: (412, say("Changed in the meantime")),
    ModelOrderError: (409, say("Not possible with this model now")),
    NotReadyError: (404, say("Not ready yet")),
    TooOftenError: (429, say("Tried too often")),
    StoppingError: (503, say("Just stopping")),
    TusVersionError: (412, say("Another version of tus")),
    TusTypeError: (415, say("Not a piece of a file")),
    OffsetError: (409, say("Not where the last piece ended")),
    ChecksumError: (460, say("The piece changed on its way")),
    RefusedSettingsError: (422, say("This setting cannot be used")),
    errors.AccountError: (422, say("This cannot be used")),
    errors.SettingsError: (400, say("This setting cannot be used")),
    errors.NotFoundError: (404, say("Not here")),
    errors.BusyFileError: (423, say("Being sent already")),
    errors.StorageFullError: (507, say("No room left")),
    errors.LibraryError: (503, say("The library cannot be used")),
    errors.UnsupportedMediaError: (415, say("Not a photo or video")),
    errors.DamagedMediaError: (415, say("The file is damaged")),
    errors.MediaTooLargeError: (413, say("Too large")),
    errors.ServiceError: (503, say("The box did not take the order")),
    errors.ModelError: (503, say("The model cannot be used")),
    ShoeboxError: (500, say("That did not work")),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is told: HTTP status, a few words, a sentence, what to do next, headers and further fields."""

    kind: str
    status: int
    title: str
    detail: str
    next_step: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def body(self, language: Language = ENGLISH) -> dict[str, Any]:
        """Return the fields of `application/problem+json` (RFC 9457)."""
        fields: dict[str, Any] = {
            "type": f"urn:shoebox:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "next_step": self.next_step,
        } | self.more
        told: dict[str, Any] = language.over(fields)
        return told


def problem(error: Exception) -> Problem:
    """Return how `error` is told; one that nobody foresaw is logged and told in general words."""
    if isinstance(error, HTTPException):
        return _refused(error)
    status, title = next(STATUS[kind] for kind in (*type(error).__mro__, ShoeboxError) if kind in STATUS)
    if isinstance(error, ShoeboxError):
        step = error.next_step or say("Try it again.")
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return Problem(_slug(type(error)), status, title, error.message, step, headers, more=_more(error))
    log.error("request failed", exc_info=error)
    detail, step = say("Something went wrong inside Shoebox."), say("Try it again. If it stays, restart the box.")
    return Problem("internal", 500, title, detail, step)


def _more(error: ShoeboxError) -> dict[str, Any]:
    if not isinstance(error, RefusedSettingsError):
        return {}
    refused = error.refused.items()
    return {"errors": [{"name": name, "detail": one.message, "next_step": one.next_step} for name, one in refused]}


def _refused(error: HTTPException) -> Problem:
    """Tell what Litestar itself refuses: unknown addresses, wrong methods, broken requests."""
    headers = dict(error.headers or {})
    if error.status_code == 404:
        return Problem(
            "not-found", 404, say("Not here"), say("There is nothing at this address."), say("Go back to the library.")
        )
    if error.status_code == 405:
        return Problem(
            "method-not-allowed", 405, say("Not possible here"), say("This address cannot be used in that way."),
            say("Use one of the methods in the Allow header."), headers,
        )  # fmt: skip
    if error.status_code >= 500:
        log.error("request failed", exc_info=error)
        wrong, step = say("Something went wrong inside Shoebox."), say("Try it again. If it stays, restart the box.")
        return Problem("internal", error.status_code, say("That did not work"), wrong, step)
    detail = error.detail or say("The request cannot be understood.")
    return Problem(
        "bad-request", error.status_code, say("The request cannot be understood"), detail, say("Correct the request.")
    )


def _door(request: Request[Any, Any, Any], error: StrangerError) -> str:
    """Return where a stranger's browser goes: to the first visit, or to sign in and back."""
    if isinstance(error, FirstVisitError):
        return "/welcome"
    if request.method not in {"GET", "HEAD"} or request.url.path == "/":
        return "/login"
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(address, safe='/')}"


def _slug(kind: type[Exception]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__.removesuffix("Error")).lower()


def problem_json(told: Problem, language: Language = ENGLISH) -> Response[dict[str, Any]]:
    """Return a problem as `application/problem+json`."""
    media = "application/problem+json"
    return Response(told.body(language), status_code=told.status, media_type=media, headers=told.headers)


class ErrorAnswers:
    """The application's exception handler."""

    def __init__(self, box: Box, templates: Templates) -> None:
        self._box = box
        self._templates = templates

    def __call__(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Return the answer to a request that raised `error`."""
        told = problem(error)
        page_wanted = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if request.scope["path"].startswith(MACHINE_PATHS) and not page_wanted:
            return problem_json(told, self._box.language)
        if isinstance(error, StrangerError):
            return Redirect(_door(request, error), status_code=303)
        text = self._templates.page(
            "error.html", self._box, None, "",
            status=told.status, title=told.title, detail=told.detail, next_step=told.next_step,
        )  # fmt: skip
        answer = html(text, told.status)
        answer.headers.update(told.headers)
        return answer
