"""A queue that cannot be written to for now, on a full disk say: told plainly and once, and gone over."""

import logging
from pathlib import Path

import pytest

from appliance.work.consumer import Pulse, create_consumer
from appliance.work.queue import open_queue


@pytest.fixture
def queue(data: Path):
    queue = open_queue(data)
    yield queue
    queue.storage.close()


def refuse(queue, refused: bool) -> None:
    queue.storage.conn.execute(f"PRAGMA query_only = {int(refused)}")


def test_what_cannot_be_taken_out_stays_and_is_told_once(queue, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[int] = []
    bell = queue.task(name="bell")(heard.append)
    bell(7)
    worker = create_consumer(queue, Pulse())._create_worker()
    worker.delay = worker.max_delay = 0
    refuse(queue, True)
    for _ in range(5):
        worker.loop()
    assert heard == []
    assert len(caplog.records) == 1
    assert "tried again" in caplog.text
    assert "Traceback" not in caplog.text
    refuse(queue, False)
    worker.loop()
    assert heard == [7]


def test_a_night_that_cannot_be_rung_for_is_rung_for_a_minute_later(queue, caplog: pytest.LogCaptureFixture) -> None:
    queue.periodic_task(lambda now: True, name="nightly")(lambda: None)
    scheduler = create_consumer(queue, Pulse())._create_scheduler()
    refuse(queue, True)
    scheduler.enqueue_periodic_tasks(None)
    assert queue.pending_count() == 0
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Traceback" not in caplog.text
    refuse(queue, False)
    scheduler.enqueue_periodic_tasks(None)
    assert queue.pending_count() == 1
