"""Which items a listing asks for: the query of the library page and of `GET /api/v1/items`, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from appliance.library import items, tally
from appliance.library.database import Connection
from appliance.library.items import Order, Page
from appliance.library.wanted import Wanted
from appliance.pages.errors import RequestError
from appliance.records import Kind, Status

MOST_ITEMS = 500
LONGEST_WORDS = 500

Choice = TypeVar("Choice", bound=StrEnum)


class Answer(StrEnum):
    """Yes or no, as a query string says it."""

    YES = "1"
    NO = "0"


@dataclass(frozen=True, slots=True)
class Filters:
    """A checked query; None where it does not ask. `limit` is how many items at most, `start` the month to begin in."""

    status: Status | None = None
    kind: Kind | None = None
    q: str | None = None
    tag: str | None = None
    year: int | None = None
    favourite: bool | None = None
    described_by: str | None = None
    trashed: bool = False
    order: Order = Order.NEWEST
    cursor: str | None = None
    limit: int = 100
    start: str | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """Read a query string's values; raise RequestError, with what is allowed, for one that cannot be used."""
        return cls(
            status=_choice(query, "status", Status),
            kind=_choice(query, "kind", Kind),
            q=_words(query, "q"),
            tag=_words(query, "tag"),
            year=_whole(query, "year", 1, 9999),
            favourite=None if (yes := _choice(query, "favourite", Answer)) is None else yes is Answer.YES,
            described_by=_words(query, "described_by"),
            trashed=_choice(query, "trashed", Answer) is Answer.YES,
            order=_choice(query, "order", Order) or Order.NEWEST,
            cursor=_words(query, "cursor"),
            limit=_whole(query, "limit", 1, MOST_ITEMS) or 100,
            start=_month(query, "from"),
        )

    def shown(self) -> dict[str, str]:
        """Return what is asked for as a query string has it, the place in it left out: the page's field and chips."""
        return {
            name: value
            for name, value in (
                ("q", self.q or ""),
                ("kind", self.kind or ""),
                ("status", self.status or ""),
                ("tag", self.tag or ""),
                ("year", str(self.year) if self.year else ""),
                ("favourite", "" if self.favourite is None else "1" if self.favourite else "0"),
                ("described_by", self.described_by or ""),
                ("order", self.order if self.order is not Order.NEWEST else ""),
            )
        }

    def wanted(self) -> Wanted:
        """Return what is asked for, for the functions of `library.items`."""
        return {
            "status": self.status,
            "kind": self.kind,
            "q": self.q,
            "tag": self.tag,
            "year": self.year,
            "favourite": self.favourite,
            "described_by": self.described_by,
            "trashed": self.trashed,
        }

    def page(self, db: Connection) -> Page:
        """Return the page of items that is asked for."""
        cursor = self.cursor
        if cursor is None and self.start and self.order is Order.NEWEST:
            cursor = items.cursor_before(self.start)
        return items.page(db, order=self.order, cursor=cursor, limit=self.limit, **self.wanted())

    def timeline(self, db: Connection) -> list[tuple[str, int]]:
        """Return the months with how many items each has, newest first; none where counting would take long."""
        known = self.order is Order.NEWEST and tally.knows(self.wanted())
        return items.months(db, **self.wanted()) if known else []


def _choice(query: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    value = query.get(name, "")
    if not value:
        return None
    try:
        return choices(value)
    except ValueError:
        raise RequestError(
            "{name} cannot be {value}.",
            "Use one of {choices}.",
            name=name,
            value=repr(value[:40]),
            choices=", ".join(choices),
        ) from None


def _words(query: Mapping[str, str], name: str) -> str | None:
    value = query.get(name, "").strip()
    if len(value) > LONGEST_WORDS:
        raise RequestError(
            "{name} is too long.", "Use at most {longest_words} characters.", name=name, longest_words=LONGEST_WORDS
        )
    return value or None


def _month(query: Mapping[str, str], name: str) -> str | None:
    value = query.get(name, "")
    if value and not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", value):
        raise RequestError(
            "{name} cannot be {value}.", "Use a month such as 2024-05.", name=name, value=repr(value[:40])
        )
    return value or None


def _whole(query: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    value = query.get(name, "")
    if not value:
        return None
    # isdecimal alone would let through digits of other scripts, and numbers too long to read.
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and least <= int(value) <= most):
        raise RequestError(
            "{name} cannot be {value}.",
            "Use a whole number from {least} to {most}.",
            name=name,
            value=repr(value[:40]),
            least=least,
            most=most,
        )
    return int(value)
