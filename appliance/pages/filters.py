"""Which items a listing asks for: the query of the library page and of `GET /api/v1/items`, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from appliance.pages.errors import RequestError
from appliance.records import Kind, Status

MOST_ITEMS = 500
LONGEST_WORDS = 500

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Filters:
    """A checked query; None where it does not ask. `limit` is how many items at most."""

    status: Status | None = None
    kind: Kind | None = None
    q: str | None = None
    tag: str | None = None
    cursor: str | None = None
    limit: int = 100

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """Read a query string's values; raise RequestError, with what is allowed, for one that cannot be used."""
        return cls(
            status=_choice(query, "status", Status),
            kind=_choice(query, "kind", Kind),
            q=_words(query, "q"),
            tag=_words(query, "tag"),
            cursor=_words(query, "cursor"),
            limit=_limit(query.get("limit", "")),
        )

    def shown(self) -> dict[str, str | None]:
        """Return what the page's search field and chips show."""
        return {"q": self.q, "kind": self.kind, "status": self.status, "tag": self.tag}

    def query(self) -> dict[str, Any]:
        """Return the keyword arguments of `library.items.page`."""
        return {
            "status": self.status,
            "kind": self.kind,
            "q": self.q,
            "tag": self.tag,
            "cursor": self.cursor,
            "limit": self.limit,
        }


def _choice(query: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    value = query.get(name, "")
    if not value:
        return None
    try:
        return choices(value)
    except ValueError:
        raise RequestError(f"{name} cannot be {value[:40]!r}.", f"Use one of {', '.join(choices)}.") from None


def _words(query: Mapping[str, str], name: str) -> str | None:
    value = query.get(name, "").strip()
    if len(value) > LONGEST_WORDS:
        raise RequestError(f"{name} is too long.", f"Use at most {LONGEST_WORDS} characters.")
    return value or None


def _limit(value: str) -> int:
    if not value:
        return 100
    # isdecimal alone would let through digits of other scripts, and numbers too long to read.
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and 1 <= int(value) <= MOST_ITEMS):
        raise RequestError(f"limit cannot be {value[:40]!r}.", f"Use a whole number from 1 to {MOST_ITEMS}.")
    return int(value)
