"""The bell: cheap, never in the way, and nothing but job ids in it."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from appliance.records import Job, JobState, Priority, Task
from appliance.work.queue import FILE, Bell, listen, open_queue
from appliance.work.reconcile import ring_due

Box = Any


def job(id: int, priority: int = Priority.UPLOAD) -> Job:
    return Job(id, 1, Task.DESCRIBE, JobState.QUEUED, priority, 0, 0.0, 0.0)


def test_a_ring_is_heard_with_its_job_s_id(data: Path) -> None:
    bell = Bell(data)
    assert not (data / FILE).exists()  # opened late
    bell.ring(job(7))
    bell.ring(job(8, Priority.PERSON))
    heard: list[int] = []
    queue = open_queue(data)
    listen(queue, heard.append)
    for _ in range(2):
        queue.execute(queue.dequeue())
    assert heard == [8, 7]
    assert queue.dequeue() is None
    queue.storage.close()


def test_messages_are_json_and_written_without_waiting_for_the_disk(data: Path) -> None:
    queue = open_queue(data)
    listen(queue, lambda job_id: None)(job(7))
    (message,) = queue.storage.enqueued_items()
    assert 7 in json.loads(bytes(message))[6]
    assert queue.storage.sql("PRAGMA synchronous", results=True) == [(1,)]
    assert queue.storage.sql("PRAGMA journal_mode", results=True) == [("wal",)]
    queue.storage.close()


def test_a_bell_that_cannot_ring_is_logged_and_rings_later(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    bell = Bell(data / "later")
    with caplog.at_level(logging.WARNING):
        bell.ring(job(7))
    (record,) = caplog.records
    assert (record.job, "the bell did not ring" in record.message) == (7, True)
    os.mkdir(data / "later")
    bell.ring(job(7))
    queue = open_queue(data / "later")
    assert queue.pending_count() == 1
    queue.storage.close()


def test_a_damaged_queue_does_not_fail_an_upload(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    (data / FILE).write_bytes(b"no database at all" * 500)
    Bell(data).ring(job(7))
    assert "did not ring" in caplog.text


def test_ring_due_rings_once_for_what_waits(box: Box) -> None:
    for note in "123":
        box.upload("red", note=note, now=1000)
    rung: list[Job] = []
    queue = open_queue(box.settings.data)
    assert ring_due(box.db, queue, rung.append, now=999) == 0
    assert ring_due(box.db, queue, rung.append, now=1000) == 3  # the descriptions wait for their preparations
    assert {one.task for one in rung} == {Task.PREPARE}
    listen(queue, lambda job_id: None)(rung[0])
    assert ring_due(box.db, queue, rung.append, now=1000) == 0
    queue.storage.close()
