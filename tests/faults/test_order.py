"""An upload is acknowledged once it would survive a power cut: the order of a real one's system calls.

The first half checks the checker, with traces in which the promise is broken; the second traces a real page.
"""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from box import Box
from trace_of import STRACE, SYNCS, WRITES, Call, answers, broken_promises, calls

DATA = Path("/data")
FIRST_UPLOAD = """\
7 openat(AT_FDCWD</>, "/data/incoming/ab.part", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640) = 13</data/incoming/ab.part>
7 write(13</data/incoming/ab.part>, "\\211PNG\\r\\n\\32"..., 100) = 100
7 write(13</data/incoming/ab.part>, "(= 5) <x>"..., 36) = 36
7 fsync(13</data/incoming/ab.part> <unfinished ...>
8 write(9<socket:[1]>, "HTTP/1.1 200 OK\\r\\n", 17) = 17
7 <... fsync resumed>) = 0
7 mkdir("/data/originals/2026/11", 0777) = -1 ENOENT (No such file or directory)
7 mkdir("/data/originals/2026", 0777) = 0
7 mkdir("/data/originals/2026/11", 0777) = 0
7 fsync(14</data/originals/2026>) = 0
7 fsync(14</data/originals>) = 0
7 rename("/data/incoming/ab.part", "/data/originals/2026/11/a.png") = 0
7 fsync(14</data/originals/2026/11>) = 0
7 pwrite64(15</data/library.db-wal>, "\\0\\0"..., 24, 0) = 24
7 pwrite64(15</data/library.db-wal>, "\\0\\0"..., 4096, 24) = 4096
7 fdatasync(15</data/library.db-wal>) = 0
6 sendto(8<socket:[2]>, "HTTP/1.1 201 Created\\r\\n"..., 300, 0, NULL, 0) = 300
"""
FILE_SYNC = "7 <... fsync resumed>) = 0\n"
FOLDER_SYNC = "7 fsync(14</data/originals/2026/11>) = 0\n"
LOG_SYNC = "7 fdatasync(15</data/library.db-wal>) = 0\n"
RENAME = '7 rename("/data/incoming/ab.part", "/data/originals/2026/11/a.png") = 0\n'
ANSWER = '6 sendto(8<socket:[2]>, "HTTP/1.1 201 Created\\r\\n"..., 300, 0, NULL, 0) = 300\n'
LAST_WRITE = '7 pwrite64(15</data/library.db-wal>, "\\0\\0"..., 4096, 24) = 4096\n'


def without(line: str) -> str:
    assert line in FIRST_UPLOAD
    return FIRST_UPLOAD.replace(line, "")


def moved(line: str, *, before: str) -> str:
    return without(line).replace(before, line + before)


def judged(text: str) -> list[str]:
    trace = calls(text.splitlines(keepends=True))
    (answer,) = answers(trace, 201)
    return broken_promises(trace, DATA, 136, answer)


def test_a_sound_trace_is_found_sound() -> None:
    assert judged(FIRST_UPLOAD) == []


@pytest.mark.parametrize(
    ("doctored", "finding"),
    [
        (without("7 fsync(13</data/incoming/ab.part> <unfinished ...>\n").replace(FILE_SYNC, ""), "its bytes"),
        (FIRST_UPLOAD.replace(FILE_SYNC, FILE_SYNC.replace("= 0", "= -1 EIO (Input/output error)")), "its bytes"),
        (without(FILE_SYNC), "its bytes"),  # never returned
        (moved(RENAME, before=FILE_SYNC), "its bytes"),  # began before, returned afterwards
        (moved(RENAME, before="7 fsync(13<"), "its bytes"),
        (FIRST_UPLOAD.replace(FILE_SYNC, FILE_SYNC + '7 write(13</data/incoming/ab.part>, "", 0) = 0\n'), "its bytes"),
        (FIRST_UPLOAD.replace("36) = 36", "36) = 35"), "not all bytes"),
        (without(RENAME), "not moved"),
        (FIRST_UPLOAD.replace(RENAME, RENAME.replace("= 0", "= -1 ENOSPC (No space left on device)")), "not moved"),
        (without(FOLDER_SYNC), "the file's name"),
        (moved(FOLDER_SYNC, before=RENAME), "the file's name"),
        (FIRST_UPLOAD.replace(FOLDER_SYNC, "").replace(LOG_SYNC, FOLDER_SYNC + LOG_SYNC), "the file's name"),
        (without("7 fsync(14</data/originals>) = 0\n"), "folder 2026 "),
        (without("7 fsync(14</data/originals/2026>) = 0\n"), "folder 11 "),
        (without(LOG_SYNC), "before the row"),
        (moved(LOG_SYNC, before=LAST_WRITE), "before the row"),
        (moved(ANSWER, before=LOG_SYNC), "before the row"),
        (moved(ANSWER, before="7 pwrite64(15</data/library.db-wal>, \"\\0\\0\"..., 24"), "nothing was committed"),
    ],
)  # fmt: skip
def test_each_broken_promise_is_found(doctored: str, finding: str) -> None:
    assert doctored != FIRST_UPLOAD
    found = judged(doctored)
    assert len(found) == 1, found
    assert finding in found[0]


@dataclass
class Traced:
    """A page whose system calls are written down, and what they were for each upload."""

    box: Box
    file: Path

    def send(self, body: bytes, times: int = 1) -> tuple[list[int], list[Call]]:
        """Upload `body` so many times at once; return the statuses and all calls from the first to the answers."""
        start = len(self._trace())
        statuses: list[int] = []

        def send() -> None:
            statuses.append(self.box.ask("POST", "/api/v1/uploads?name=a.png", body)[0])

        senders = [threading.Thread(target=send) for _ in range(times)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        return sorted(statuses), self._trace()[start:]

    def _trace(self) -> list[Call]:
        # Whatever was called before the answer came is written down by now: strace holds the caller until it is.
        return calls(self.file.read_text().splitlines(keepends=True))


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    box = Box(folder / "library", folder / "log.txt")
    box.start(["web"], under=[*STRACE, "-o", str(folder / "trace")])
    yield Traced(box, folder / "trace")
    assert box.stop() == 0


def picture(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (400, 300), colour).save(made, "BMP")  # large enough to come in several pieces
    return made.getvalue()


def test_the_first_upload_of_a_month_is_on_the_disk_with_its_new_folders(traced: Traced) -> None:
    body = picture("red")
    statuses, trace = traced.send(body)
    assert statuses == [201]
    assert sum(call.name == "mkdir" and call.result == 0 for call in trace) == 2
    (answer,) = answers(trace, 201)
    assert broken_promises(trace, traced.box.data, len(body), answer) == []


def test_the_next_upload_is_on_the_disk_too(traced: Traced) -> None:
    body = picture("green")
    statuses, trace = traced.send(body)
    assert statuses == [201]
    assert not any(call.name == "mkdir" and call.result == 0 for call in trace)
    (answer,) = answers(trace, 201)
    assert broken_promises(trace, traced.box.data, len(body), answer) == []


def test_what_is_sent_four_times_at_once_is_acknowledged_once_it_is_on_the_disk(traced: Traced) -> None:
    body = picture("blue")
    statuses, trace = traced.send(body, times=4)
    assert statuses == [200, 200, 200, 201]
    (kept,) = [path for path in traced.box.data.glob("originals/*/*/*") if path.read_bytes() == body]
    (part,) = [call.texts[0] for call in trace if call.name == "rename" and str(kept) in call.texts]
    told = [*answers(trace, 201), *answers(trace, 200)]
    assert len(told) == 4
    for answer in told:
        assert broken_promises(trace, traced.box.data, len(body), answer, part=part) == []


def test_a_second_copy_of_what_is_there_stores_nothing(traced: Traced) -> None:
    statuses, trace = traced.send(picture("green"))
    assert statuses == [200]
    assert not any(call.name.startswith(("rename", "mkdir", "pwrite")) for call in trace)


def test_a_second_copy_of_what_was_lost_is_put_back_before_it_is_acknowledged(traced: Traced) -> None:
    body = picture("red")
    for original in traced.box.data.glob("originals/*/*/*"):
        if original.read_bytes() == body:
            original.unlink()
    statuses, trace = traced.send(body)
    assert statuses == [200]
    (answer,) = answers(trace, 200)
    assert broken_promises(trace, traced.box.data, len(body), answer, row=False) == []


def test_what_a_killed_page_wrote_is_on_the_disk_before_the_next_one_acknowledges_it(tmp_path: Path) -> None:
    box = Box(tmp_path / "library", tmp_path / "log.txt")
    box.start(["web"])
    assert box.ask("POST", "/api/v1/uploads", picture("red"))[0] == 201
    assert box.process is not None
    box.process.kill()
    box.process.wait()
    log = box.data / "library.db-wal"
    assert log.stat().st_size > 0  # the row is here alone, and as far as the next page knows was never synced
    trace_file = tmp_path / "trace"
    box.start(["web"], under=[*STRACE, "-o", str(trace_file)])
    assert box.ask("POST", "/api/v1/uploads", picture("red"))[0] == 200
    trace = calls(trace_file.read_text().splitlines(keepends=True))
    (part,) = (call for call in trace if call.name == "openat" and ".part" in call.arguments)
    synced = [call for call in trace if call.name in SYNCS and call.path == str(log) and call.result == 0]
    assert synced
    assert synced[0].before(part)
    assert not any(call.name in WRITES and call.path == str(log) and call.before(synced[0]) for call in trace)
    assert box.stop() == 0
