"""System calls as strace tells of them, and what an upload's must be like for the answer to be a promise."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# What is asked of strace; `-D` leaves the traced process the child of who started it.
_TRACED = "openat,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat"
STRACE = ("strace", "-D", "-f", "-y", "-s", "32", "-e", f"trace={_TRACED}")

_LINE = re.compile(r"(?P<thread>\d+) +(?P<rest>.*)")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_UNFINISHED = " <unfinished ...>"
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)(?P<more>.*)")
_PATH = re.compile(r"<([^<>]*)>")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')

WRITES = ("write", "writev", "pwrite64", "pwritev")
SENDS = (*WRITES[:2], "sendto", "sendmsg")
SYNCS = ("fsync", "fdatasync")


@dataclass(frozen=True)
class Call:
    """A call: the lines on which it began and returned, what it was given, and its result, None where it never did.

    `path` is where its file descriptor leads, "" where it has none.
    """

    thread: str
    name: str
    arguments: str
    result: int | None
    began: int
    returned: float
    path: str = ""
    texts: tuple[str, ...] = field(default=())

    def before(self, other: "Call") -> bool:
        """Whether this had returned before the other began."""
        return self.returned < other.began


def calls(lines: Iterable[str]) -> list[Call]:
    """Return the calls in the order in which they began; of one that others ran into, the two halves are one."""
    return sorted(_calls(lines), key=lambda call: call.began)


def _calls(lines: Iterable[str]) -> Iterator[Call]:
    halves: dict[str, tuple[int, str]] = {}  # thread: where its call began, and how
    for number, line in enumerate(lines):
        found = _LINE.match(line)
        if found is None:
            continue
        thread, rest, began = found["thread"], found["rest"].rstrip("\n"), number
        if rest.endswith(_UNFINISHED):
            halves[thread] = (number, rest.removesuffix(_UNFINISHED))
            continue
        if (resumed := _RESUMED.match(rest)) is not None:
            began, first = halves.pop(thread)
            rest = first + resumed["rest"]
        if (whole := _CALL.fullmatch(rest)) is not None:
            yield _call(thread, whole["name"], whole["arguments"], int(whole["result"]), began, number)
    for thread, (began, rest) in halves.items():  # never returned: the process ended, or the trace did
        name, _, arguments = rest.partition("(")
        yield _call(thread, name, arguments, None, began, float("inf"))


def _call(thread: str, name: str, arguments: str, result: int | None, began: int, returned: float) -> Call:
    described = _PATH.search(arguments.split(",")[0])
    path = described[1] if described and name not in {"openat", "mkdirat", "renameat", "renameat2"} else ""
    return Call(thread, name, arguments, result, began, returned, path, tuple(_TEXT.findall(arguments)))


def answers(trace: list[Call], status: int) -> list[Call]:
    """Return the sends on a socket that begin an HTTP answer of this status."""
    start = f"HTTP/1.1 {status}"
    return [
        call
        for call in trace
        if call.name in SENDS and call.path.startswith("socket:") and any(text.startswith(start) for text in call.texts)
    ]


def received(trace: list[Call], data: Path) -> list[str]:
    """Return the temporary files that were opened for uploads."""
    incoming = str(data / "incoming")
    return [
        call.texts[0]
        for call in trace
        if call.name == "openat" and "O_CREAT" in call.arguments and call.texts[0].startswith(incoming)
    ]


def broken_promises(
    trace: list[Call], data: Path, size: int, answer: Call, *, part: str = "", row: bool = True
) -> list[str]:
    """Return what is wrong with how an upload of `size` bytes was stored before `answer` was sent.

    The upload is the one that was received as `part`, by default the first in `trace`.

    write → fsync → rename → fsync of the folder, and of what holds each folder that was made → write and sync of the
    database's log → the answer; each has returned, and well, before the next begins. Without `row` the library knew the
    file already, and only the file was put back.
    """
    part = part or received(trace, data)[0]
    written = [call for call in trace if call.name in WRITES and call.path == part]
    if sum(call.result or 0 for call in written) != size:
        return ["not all bytes were written"]
    moved = next((call for call in trace if call.name.startswith("rename") and part in call.texts), None)
    if moved is None or moved.result != 0:
        return ["the file was not moved to its place"]
    wrong = []
    if not _synced(trace, part, after=written, before=moved):
        wrong.append("the file was moved before its bytes were on the disk")
    log = str(data / "library.db-wal")
    rows = [call for call in trace if call.thread == moved.thread and call.name in WRITES and call.path == log]
    rows = [call for call in rows if call.before(answer)]
    if row and not rows:
        return [*wrong, "nothing was committed before the answer"]
    end = rows[0] if row else answer
    if not _synced(trace, str(Path(moved.texts[-1]).parent), after=[moved], before=end):
        wrong.append("the file's name was not on the disk in time")
    for made in trace:
        if made.name.startswith("mkdir") and made.result == 0 and not made.texts[0].startswith(str(data / "derived")):
            folder = Path(made.texts[0])
            if not _synced(trace, str(folder.parent), after=[made], before=end):
                wrong.append(f"the new folder {folder.name} was not on the disk in time")
    if row and not _synced(trace, log, after=rows, before=answer):
        wrong.append("the answer was sent before the row was on the disk")
    return wrong


def _synced(trace: list[Call], path: str, *, after: list[Call], before: Call) -> bool:
    return any(
        call.name in SYNCS
        and call.path == path
        and call.result == 0
        and all(earlier.before(call) for earlier in after)
        and call.before(before)
        for call in trace
    )
