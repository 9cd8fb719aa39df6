"""The numbers, read by a strict reader of Prometheus' text format."""

import re
import time
from dataclasses import replace

import pytest

from appliance import __version__
from appliance.device.board import Board
from appliance.device.card import Card
from appliance.device.power import Power
from appliance.library import backups, counters, describer, notices
from appliance.pages import exposition, metrics
from appliance.pages.exposition import Family
from appliance.work.lock import only_worker

_HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')


def read(text):
    """Return the samples as {(name, labels): value} and the types by family; fail on whatever is not well-formed."""
    samples, types, said = {}, {}, set()
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("#"):
            what, name, rest = _HEAD.fullmatch(line).groups()
            assert (what, name) not in said, f"twice: {line}"
            said.add((what, name))
            if what == "TYPE":
                types[name] = rest
            continue
        name, labels, value = _SAMPLE.fullmatch(line).groups()
        family = name if name in types else re.sub("_(sum|count)$", "", name)
        assert types[family] == "summary" if family != name else types[family] in {"gauge", "counter"}, line
        pairs = _LABEL.findall(labels or "")
        assert ",".join(f'{key}="{text}"' for key, text in pairs) == (labels or ""), line
        key = (name, tuple((label, re.sub(r"\\(.)", _unescaped, text)) for label, text in pairs))
        assert key not in samples, f"twice: {line}"
        samples[key] = float(value)
    return samples, types


def _unescaped(match):
    return {"n": "\n"}.get(match[1], match[1])


@pytest.fixture
def numbers(client):
    """Ask for the numbers; a sample is found by its name and labels."""

    def ask():
        answer = client.get("/metrics")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        samples, _ = read(answer.text)
        return lambda name, /, **labels: samples.get((name, tuple(labels.items())))

    return ask


def test_the_library_and_the_queue(shelf, numbers):
    shelf.done()
    shelf.video()
    shelf.fail(shelf.prepare(shelf.add()))
    shelf.add(now=time.time() - 1000)
    one = numbers()
    assert one("shoebox_items", status="completed", kind="photo") == 1
    assert one("shoebox_items", status="completed", kind="video") == 1
    assert one("shoebox_items", status="pending", kind="photo") == 1
    assert one("shoebox_items", status="processing", kind="video") == 0
    assert one("shoebox_items_failed", reason="other") == 1
    assert one("shoebox_jobs", task="describe", state="queued") == 1
    assert one("shoebox_jobs", task="prepare", state="queued") == 1
    assert one("shoebox_jobs", task="describe", state="running") == 0
    assert 1000 <= one("shoebox_oldest_job_seconds") < 2000
    assert one("shoebox_describe_seconds_count", kind="photo") == 1
    assert one("shoebox_describe_seconds_sum", kind="photo") >= 0
    assert one("shoebox_free_bytes") > 0
    assert one("shoebox_info", version=__version__, model="sample-int8", provider="") == 1
    with shelf.box.library() as db:
        describer.note(db, "sample-int8", "CUDA")
    assert numbers()("shoebox_info", version=__version__, model="sample-int8", provider="CUDA") == 1


def test_seconds_an_item(shelf, numbers):
    shelf.done()
    shelf.done()
    with shelf.box.library() as db:
        db.execute("UPDATE jobs SET started_at = 100, finished_at = 102.5 WHERE task = 'describe'")
    one = numbers()
    assert one("shoebox_describe_seconds_sum", kind="photo") == 5.0
    assert one("shoebox_describe_seconds_count", kind="photo") == 2


def test_restarts_pause_and_worker(shelf, client, numbers):
    one = numbers()
    assert one("shoebox_child_restarts_total", reason="deadline") == 0
    assert (one("shoebox_paused"), one("shoebox_worker_up"), one("shoebox_oldest_job_seconds")) == (0, 0, 0)
    with shelf.box.library() as db:
        for reason in ("deadline", "deadline", "memory"):
            counters.add(db, counters.CHILD_RESTARTS + reason)
    client.post("/api/v1/queue/pause")
    with only_worker(shelf.box.settings.data):
        one = numbers()
    assert one("shoebox_child_restarts_total", reason="deadline") == 2
    assert one("shoebox_child_restarts_total", reason="memory") == 1
    assert (one("shoebox_paused"), one("shoebox_worker_up")) == (1, 1)


def test_what_is_not_known_is_left_out(shelf, monkeypatch):
    def names(board):
        monkeypatch.setattr(metrics, "board", lambda: board)
        return {name for name, _ in read(exposition.text(metrics._box(shelf.box, [])))[0]}

    nothing = Board(None, None, Power(), None, None, False, Card())
    known = names(replace(nothing, temperature=48.5, power=Power(slowed=False), memory_available=1 << 30))
    assert known - names(nothing) == {
        "shoebox_temperature_celsius", "shoebox_throttled", "shoebox_memory_available_bytes",
    }  # fmt: skip


def test_what_the_box_says_of_itself_is_told(shelf, numbers):
    with shelf.box.library() as db:
        notices.put_up(db, "backup", "The backup failed.")
    assert numbers()("shoebox_notices", name="backup", level="warn") == 1


def test_the_age_of_the_newest_backup(shelf, numbers):
    shelf.add()
    assert numbers()("shoebox_backup_age_seconds") is None
    with shelf.box.library() as db:
        backups.make(db, shelf.box.settings.data, now=time.time() - 7200, kept=7)
    assert 7200 <= numbers()("shoebox_backup_age_seconds") < 7400


def test_labels_are_escaped():
    nasty = 'back\\slash "quoted"\nnext} 1'
    samples, types = read(exposition.text([Family("a", "Line one\nand \\ two.", "counter").add(1.5, what=nasty)]))
    assert samples == {("a", (("what", nasty),)): 1.5}
    assert types == {"a": "counter"}


def test_asking_writes_nothing(shelf, client):
    before = sorted(path.name for path in shelf.box.settings.data.rglob("*"))
    client.get("/metrics")
    assert sorted(path.name for path in shelf.box.settings.data.rglob("*")) == before
