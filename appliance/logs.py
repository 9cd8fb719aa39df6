"""Log lines, one a record, that say in one way which item and job they are about.

    <4>appliance.work.steps [item=12 job=34 attempt=1 reason=deadline] failed, and is tried again    (to the journal)
    2026-05-03 14:20:00 WARNING appliance.work.steps [item=12 …] failed, and is tried again          (anywhere else)
    {"time": "…", "level": "warning", "logger": "…", "message": "…", "item": 12, …}                  (`json`)

Fields come from `about`, which holds for a block, or from a record's `extra`. Nothing here is taken from a photo: no
names, no descriptions. Rotation is the journal's.
"""

import hashlib
import json
import logging
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

# In the order in which they are written.
FIELDS = ("item", "job", "task", "attempt", "child", "reason", "state", "status", "model", "kind", "bytes", "seconds")
# Of syslog (RFC 5424), as the journal reads them at the beginning of a line.
PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}

_RING_BYTES = 256 << 10  # and as much again that is older

_about: ContextVar[Mapping[str, object] | None] = ContextVar("about", default=None)


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Give every record of this thread (or task) in the block these fields, which are some of FIELDS."""
    token = _about.set({**(_about.get() or {}), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def set_up(form: str, *, level: int = logging.INFO) -> None:
    """Log to standard error as `form` (`text` or `json`) says, in place of what was set up before."""
    handler = logging.StreamHandler()
    formatter = JsonFormatter() if form == "json" else TextFormatter(journal=to_journal(os.environ))
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)


def keep(folder: Path, name: str) -> None:
    """Keep what is logged from now on in `folder` too, half a megabyte at most, for the page to show."""
    try:
        own_folder(folder)
        ring = RotatingFileHandler(folder / f"{name}.log", maxBytes=_RING_BYTES, backupCount=1, encoding="ascii")
    except OSError as error:
        logging.getLogger(__name__).info("the page cannot show what is logged: %s", error)
        return
    ring.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(ring)


def ring_folder(data: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the processes that serve `data` keep their last lines: in memory, not on the card."""
    given = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given) / "logs"
    memory = Path("/dev/shm")  # noqa: S108 - `keep` takes a folder of this user's alone
    folder = memory if memory.is_dir() else Path(tempfile.gettempdir())
    return folder / f"shoebox-{os.getuid()}-{hashlib.sha256(bytes(data)).hexdigest()[:12]}"


def own_folder(folder: Path) -> None:
    """Make the folder that `ring_folder` names; raise PermissionError where somebody else has made it.

    The memory's folder is everybody's, so that anybody can have put something there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise PermissionError(f"{folder} is somebody else’s")


def kept(folder: Path, since: float) -> list[dict[str, Any]]:
    """Return the records kept since a Unix time, the oldest first, each with its `process`; what is no record is left
    out."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.log*")):
        try:
            lines = path.read_text("ascii", errors="replace").splitlines()
        except OSError:  # it was turned over in this moment
            continue
        for line in lines:
            try:
                record = json.loads(line)
                if datetime.fromisoformat(record["time"]).timestamp() >= since:
                    found.append(record | {"process": path.name.partition(".")[0]})
            except (ValueError, TypeError, KeyError):
                continue
    return sorted(found, key=lambda record: str(record["time"]))


def to_journal(environment: Mapping[str, str], descriptor: int = 2) -> bool:
    """Return whether what is written to `descriptor` goes to systemd's journal, which adds the time by itself."""
    try:
        found = os.fstat(descriptor)
    except OSError:  # closed
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class TextFormatter(logging.Formatter):
    """One line a record and one for each line of its traceback, each with its level and fields before the text."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines; what could end one, or paint on a terminal, is escaped."""
        fields = " ".join(f"{name}={_word(value)}" for name, value in _fields(record).items())
        head = f"{self._prefix(record)}{printable(record.name)} "
        message = printable(record.getMessage())
        if fields or message.startswith("["):  # or else the message could pass for fields
            head += f"[{fields}] "
        lines = [message, *(f"| {printable(line)}" for line in _traceback(self, record).splitlines())]
        return "\n".join(f"{head}{line}".rstrip() for line in lines)

    def _prefix(self, record: logging.LogRecord) -> str:
        if self._journal:
            return f"<{_priority(record.levelno)}>"
        return f"{datetime.fromtimestamp(record.created).astimezone():%Y-%m-%d %H:%M:%S} {record.levelname} "


class JsonFormatter(logging.Formatter):
    """One JSON object a record, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if trace := _traceback(self, record):
            line["traceback"] = trace
        return json.dumps(line, default=str)


def printable(text: str) -> str:
    """Return `text` with everything escaped that is not seen on a line: its end, terminal codes, turns of direction."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    given = {**(_about.get() or {}), **{name: value for name, value in vars(record).items() if name in FIELDS}}
    return {name: given[name] for name in FIELDS if given.get(name) is not None}


def _word(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    text = printable(str(value))
    return text if text and not set(text) & set(' "=[]') else json.dumps(text, ensure_ascii=False)


def _priority(level: int) -> int:
    return next((priority for floor, priority in PRIORITIES.items() if level >= floor), PRIORITIES[logging.DEBUG])


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    told = getattr(record, "traceback", "")
    if record.exc_info and record.exc_info[0] is not None:
        told = formatter.formatException(record.exc_info)
    return str(told)
