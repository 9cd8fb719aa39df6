"""Prometheus' text format, version 0.0.4: families of samples, escaped as it asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

MEDIA_TYPE = "text/plain; version=0.0.4"

Labels = Mapping[str, str]


@dataclass(slots=True)
class Family:
    """One metric: its name, what it tells, its type, and its samples, of which None is not known and left out."""

    name: str
    help: str
    kind: Literal["gauge", "counter", "summary"] = "gauge"
    samples: list[tuple[str, Labels, float]] = field(default_factory=list)

    def add(self, value: float | bool | None, suffix: str = "", /, **labels: str) -> "Family":
        """Add a sample; `suffix` is a summary's `_sum` or `_count`."""
        if value is not None:
            self.samples.append((suffix, labels, int(value) if isinstance(value, bool) else value))
        return self


def text(families: Iterable[Family]) -> str:
    """Return the exposition; a family without a sample is left out."""
    lines = []
    for family in families:
        if family.samples:
            described = family.help.replace("\\", r"\\").replace("\n", r"\n")
            lines += [f"# HELP {family.name} {described}", f"# TYPE {family.name} {family.kind}"]
            lines += [f"{family.name}{suffix}{_labels(labels)} {value!r}" for suffix, labels, value in family.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
