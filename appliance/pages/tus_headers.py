"""What the headers of tus 1.0 say: numbers of bytes, a name, a checksum. RequestError is raised where one cannot be."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from litestar import Request

from appliance.pages.errors import RequestError

CHECKSUMS = ("sha1", "sha256")


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece must come to: the algorithm's name and the digest."""

    algorithm: str
    digest: bytes


def number(value: str | None, header: str) -> int:
    """Return the bytes that `header` gives as `value`."""
    if value is None or not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise RequestError("{name} is not a number of bytes.", "Send the file again.", name=header)
    return int(value)


def media_type(request: Request[Any, Any, Any]) -> str:
    """Return the kind of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def name(given: str) -> str:
    """Return the file's name in an Upload-Metadata, "" where it gives none."""
    found = _metadata(given)
    return found.get("filename") or found.get("name") or ""


def checksum(request: Request[Any, Any, Any]) -> Checksum | None:
    """Return what the request's body must come to, None where it does not say."""
    given = request.headers.get("upload-checksum")
    if given is None:
        return None
    algorithm, _, value = given.partition(" ")
    if algorithm not in CHECKSUMS:
        raise RequestError(
            "The checksum {algorithm} is not known here.",
            "Use {checksums}.",
            algorithm=algorithm,
            checksums=" or ".join(CHECKSUMS),
        )
    try:
        return Checksum(algorithm, base64.b64decode(value.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise RequestError("Upload-Checksum cannot be read.", "Send the digest in base64.") from None


def _metadata(given: str) -> dict[str, str]:
    found = {}
    for pair in filter(None, (part.strip() for part in given.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise RequestError("Upload-Metadata cannot be read.", "Send keys, each with its value in base64.") from None
    return found
