"""`shoebox status`: for people and for programs, once and again and again, whether or not Shoebox runs."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance import cli, cli_status
from appliance.library import claims, database, jobs, notices, pause, preferences, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.records import Format, Item, Kind, Priority, Task
from appliance.work.lock import only_worker


class Library:
    """A library with whatever a test puts in."""

    def __init__(self, data: Path, db: Connection) -> None:
        self.data, self.db, self._store = data, db, Store(data)
        self._store.prepare()

    def add(self, kind: Kind = Kind.PHOTO, *, describe: bool = True) -> Item:
        with self._store.receive() as incoming:
            incoming.write(os.urandom(20))
            form = Format(kind, "image/jpeg", "JPEG")
            item, _, _ = uploads.accept(self.db, self._store, incoming, "a.jpg", form, describe=describe)
        self.db.execute("DELETE FROM jobs WHERE task = 'prepare'")
        return item

    def take(self, item: Item, *, ago: float) -> jobs.Job:
        job = jobs.enqueue(self.db, item.id, Task.DESCRIBE, Priority.PERSON, now=0)
        claimed = claims.claim(self.db, job.id, now=time.time() - ago, lease=600)
        assert claimed is not None
        return claimed


@pytest.fixture
def library(data: Path) -> Iterator[Library]:
    database.migrate(data / "library.db")
    with closing(database.connect(data / "library.db")) as db:
        yield Library(data, db)


@pytest.fixture
def full(library: Library) -> Library:
    """One of everything: done in 2 s, failed, under way, asked for, left for the night."""
    claims.finish(library.db, library.take(library.add(), ago=2), now=time.time())
    failed = library.take(library.add(), ago=2)
    claims.fail(library.db, failed, "No.", reason="damaged", now=0, attempts_allowed=1, retry_delay=0)
    library.take(library.add(Kind.VIDEO), ago=100)
    for describe in (True, True, False):
        library.add(describe=describe)
    notices.put_up(library.db, "warm", "The box is warm.", "It goes on by itself.")
    preferences.set(library.db, "time_zone", "Europe/Berlin")
    return library


def status(data: Path, *words: str) -> int:
    return cli.main(["status", *words, "--data", str(data)])


def test_for_people(full: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(full.data) == 0
    out = capsys.readouterr().out
    for line in (
        r"completed +1", r"failed +1", r" +1  damaged", r"The worker does not run: .*",
        r"Now: video 3, for 2 min so far\.",
        r"Pace: 2\.\d s a photo\.", r"Waiting now: 2 photos, done in about 4\.\d s\.",
        r"Left for the night: 1 photo, done in 1 night, by \d{4}-\d\d-\d\d\.",
        r"Next night: photos \w+ \d+ \w+ 02:00, videos \w+ \d+ \w+ 02:30 \(Europe/Berlin\)\.",
        r"The box is warm\. It goes on by itself\.", r"Free: [\d.]+ GB", r"Model: .*sample-int8.*",
    ):  # fmt: skip
        assert re.search(f"^(?:{line})$", out, re.MULTILINE), (line, out)
    pause.pause(full.db)
    preferences.set(full.db, "scheduled_processing", False)
    with only_worker(full.data):
        assert status(full.data) == 0
    out = capsys.readouterr().out
    assert "The worker does not run" not in out
    assert "Describing is paused." in out
    assert "Nothing is described at night." in out


def test_for_programs(full: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(full.data, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"pending": 3, "processing": 1, "completed": 1, "failed": 1}
    assert told["failures"] == {"damaged": 1}
    assert told["waiting"] == {"asked": {"photos": 2, "videos": 0}, "left": {"photos": 1, "videos": 0}}
    ((item, kind, seconds),) = [(one["item"], one["kind"], one["seconds"]) for one in told["now"]]
    assert (item, kind, seconds >= 100) == (3, "video", True)
    assert told["forecast"]["nights"] == 1
    assert told["forecast"]["seconds"] == pytest.approx(4, abs=1)
    assert [notice["name"] for notice in told["notices"]] == ["warm"]
    assert (told["worker"], told["paused"], told["model"]["id"]) == ({"running": False}, False, "sample-int8")
    assert told["free_bytes"] > 0


def test_it_only_reads(full: Library) -> None:
    before = full.db.execute("PRAGMA data_version").fetchone()[0]
    files = sorted(path.name for path in full.data.rglob("*"))
    cli_status.read(cli_settings_of(full.data))
    assert full.db.execute("PRAGMA data_version").fetchone()[0] == before
    assert sorted(path.name for path in full.data.rglob("*")) == files


def cli_settings_of(data: Path) -> cli_status.Settings:
    from appliance import settings

    return settings.load(environment={}, file=data / "none.toml", overrides={"data": str(data)})


def watch(data: Path, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    code = "import sys; from appliance import cli, cli_status; cli_status.EVERY = 0.1; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "status", "--watch", *words, "--data", str(data)]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE)


def test_watching_tells_again_until_ctrl_c(full: Library) -> None:
    with watch(full.data, "--json") as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert json.loads(watching.stdout.readline())["paused"] is False
        pause.pause(full.db)
        while not json.loads(watching.stdout.readline())["paused"]:
            pass
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
        assert (watching.wait(30), watching.stderr.read()) == (0, b"")


def test_watching_without_a_terminal_is_one_block_after_another(full: Library) -> None:
    with watch(full.data) as watching:
        assert watching.stdout is not None
        out = b""
        while out.count(b"\n\npending") < 2:
            out += watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
        assert watching.wait(30) == 0
    assert b"\033" not in out


def test_watching_on_a_terminal_draws_anew(full: Library) -> None:
    ours, theirs = pty.openpty()
    with watch(full.data, stdout=theirs) as watching:
        os.close(theirs)
        out = b""
        while out.count(b"\033[H\033[J") < 3:
            out += os.read(ours, 4096)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
    os.close(ours)
    assert out.startswith(b"\033[H\033[Jpending")
