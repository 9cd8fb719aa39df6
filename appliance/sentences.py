"""What a person reads, kept apart from the language it is read in: a template, and the values for its places.

Every sentence is written in English where it is said, as `say("{name} is gone.", name=name)` or as an error's two
sentences, and stands under these words in the catalogue, `web/sentences/shoebox.pot`. A `Sentence` is its English text,
so that logs, the command line and tests read it as any other; a page turns it into its reader's language.

A place is `{name}`, or `{name:.1f}` for a number so written; nothing else is looked up and nothing is called. In a
place for a part of a sentence, `{name:part}`, the full stop of what stands there is left out.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from gettext import NullTranslations
from types import MappingProxyType
from typing import Any

Value = str | int | float

PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)(?::(,|,?\.[0-9][fg]|part))?\}")


class Sentence(str):
    """A sentence's English text, with the `template` and the `values` that it was made of.

    Where it tells of a number of things, `template` is for one of them, and `many` for any other `number`.
    """

    __slots__ = ("many", "number", "template", "values")

    template: str
    many: str
    number: int
    values: Mapping[str, Value]

    def __new__(
        cls, template: str, many: str = "", number: int = 1, values: Mapping[str, object] | None = None
    ) -> "Sentence":
        """Make it; a value that is neither text nor a number is taken as its text."""
        known = {name: _plain(value) for name, value in (values or {}).items()}
        told = fill(template if number == 1 or not many else many, known)
        self = super().__new__(cls, told)
        self.template, self.many, self.number = str.__str__(template), many, number
        self.values = MappingProxyType(known)
        return self

    def __str__(self) -> str:
        """Return itself: what is made a text of must not lose what it was made of."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Sentence, (self.template, self.many, self.number, dict(self.values))

    @property
    def kept(self) -> str:
        """How it is stored: its text where that is all there is to it, else JSON that `read` takes."""
        if not self.values and not self.many:
            return str.__str__(self)
        return json.dumps(self._parts(), ensure_ascii=False)

    def _parts(self) -> dict[str, Any]:
        values = {name: one._parts() if isinstance(one, Sentence) else one for name, one in self.values.items()}
        several = {"many": self.many, "count": self.number} if self.many else {}
        return {"say": self.template, **several, "with": values}

    @classmethod
    def read(cls, text: str) -> "Sentence":
        """Return what was stored; any other text, as older versions stored it, is a sentence without places."""
        if text.startswith('{"say": '):
            try:
                return _read(json.loads(text))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                pass
        return cls(text)


def say(template: str, /, **values: object) -> Sentence:
    """Return a sentence for a person, made of its template and of those of `values` that have a place in it."""
    if isinstance(template, Sentence):
        return template
    if not values:
        return Sentence(template)
    return Sentence(template, values={name: values[name] for _, _, name, _ in _pieces(template) if name in values})


def counted(one: str, many: str, count: int, /, **values: object) -> Sentence:
    """Return the sentence for one thing or for many; `{count}` is how many."""
    return Sentence(one, many, count, {"count": count, **values})


def joined(parts: Iterable[str], between: str = " ") -> Sentence:
    """Return sentences one after the other, or a list with commas as what is `between`."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Sentence(between.join(f"{{{name}}}" for name in values), values=values)


def both(parts: Iterable[str]) -> Sentence:
    """Return what is told in one breath: `this`, `this and that`, `this and that and more`."""
    told = Sentence("")
    for part in parts:
        told = say("{first} and {second}", first=told, second=part) if told else joined([part])
    return told


def said_date(day: date, time: str = "") -> Sentence:
    """Return a day, or a moment of it, as people say it: `3 May 2026`, `3 May 2026, 02:10`."""
    month = _MONTHS[day.month - 1]
    if time:
        return say("{day} {month} {year}, {time}", day=day.day, month=month, year=day.year, time=time)
    return say("{day} {month} {year}", day=day.day, month=month, year=day.year)


def kept(text: str) -> str:
    """Return how a text is stored, whether it is a sentence or not; also msgspec's hook for encoding one."""
    return text.kept if isinstance(text, Sentence) else text


def fill(template: str, values: Mapping[str, Value]) -> str:
    """Return the template with its places filled in; one that nothing is known for stays as it is."""
    if not values:
        return template
    told = []
    for before, place, name, spec in _pieces(template):
        told.append(before)
        if name not in values:
            told.append(place)
        elif spec == "part":
            told.append(str(values[name]).rstrip("."))
        else:
            value = values[name]
            told.append(format(value, spec) if spec and not isinstance(value, str) else str(value))
    return "".join(told)


@lru_cache(2048)
def _pieces(template: str) -> tuple[tuple[str, str, str, str], ...]:
    """Return the template in pieces: the words before a place, the place, its name, and how a number is written."""
    found, begun = [], 0
    for place in PLACE.finditer(template):
        found.append((template[begun : place.start()], place[0], place[1], place[2] or ""))
        begun = place.end()
    return (*found, (template[begun:], "", "", ""))


class Language:
    """What turns sentences into one language, by a catalogue as the standard library's `gettext` reads it."""

    def __init__(self, catalogue: NullTranslations | None = None) -> None:
        self._catalogue = catalogue

    def say(self, value: Any) -> Any:
        """Return a sentence in this language; whatever else it is, as it is."""
        if not isinstance(value, Sentence):
            return value
        if self._catalogue is None:
            return str.__str__(value)
        template = self.template(value.template, value.many, value.number)
        return fill(template, {name: self.say(one) for name, one in value.values.items()})

    def template(self, one: str, many: str = "", number: int = 1) -> str:
        """Return a template in this language."""
        if self._catalogue is None or not one:  # "" is where a catalogue tells of itself
            return one if number == 1 or not many else many
        return self._catalogue.ngettext(one, many, number) if many else self._catalogue.gettext(one)

    def over(self, data: Any) -> Any:
        """Return JSON's objects, lists and values with every sentence in them in this language."""
        if self._catalogue is None:
            return data
        if isinstance(data, dict):
            return {name: self.over(value) for name, value in data.items()}
        if isinstance(data, list | tuple):
            return [self.over(value) for value in data]
        return self.say(data)

    @property
    def finalize(self) -> Callable[[Any], Any] | None:
        """What a template applies to each value it shows; None where there is nothing to do."""
        return None if self._catalogue is None else self.say


ENGLISH = Language()
_MONTHS = (
    say("January"), say("February"), say("March"), say("April"), say("May"), say("June"), say("July"), say("August"),
    say("September"), say("October"), say("November"), say("December"),
)  # fmt: skip


def _plain(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return float(value) if isinstance(value, float) else int(value)


def _read(told: dict[str, Any]) -> Sentence:
    values = {name: _read(value) if isinstance(value, dict) else value for name, value in told["with"].items()}
    if not all(isinstance(one, str | int | float) for one in (told["say"], *values.values())):
        raise TypeError
    return Sentence(told["say"], told.get("many", ""), told.get("count", 1), values)
