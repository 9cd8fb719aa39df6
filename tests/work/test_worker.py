"""Real worker processes on a real library, with a captioner that does what colours say; some are killed."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import LibraryError
from appliance.library import descriptions, jobs, opening, pause, preferences, statuses
from appliance.library.serving import serving
from appliance.records import JobState, Priority, Status, Task
from appliance.settings import Settings
from appliance.work import worker
from appliance.work.queue import Bell, listen, open_queue

Box = Any
Until = Callable[..., None]


def children(pid: int) -> list[int]:
    """Return the ids of the processes that the worker `pid` started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def held(box: Box, until: Until) -> Any:
    """Upload a picture whose description is held in its midst, start a worker and wait until it is there."""
    (box.settings.data / "hold").touch()
    item = box.upload("green")
    process = box.start(replace(box.settings, processing_timeout=600))
    until((box.settings.data / "held").exists, "the description to begin")
    box.wait(item, Status.PROCESSING)
    return item, process


def let_go(box: Box) -> None:
    (box.settings.data / "hold").unlink()


def test_what_was_uploaded_is_prepared_and_described(busy: Box) -> None:
    item = busy.wait(busy.upload("red"), Status.COMPLETED)
    assert (item.width, item.height, item.error) == (48, 32, None)
    assert item.prepared_at is not None
    description = descriptions.current(busy.db, item.id)
    assert description is not None
    assert (description.text, description.model) == ("a red picture", "fake")
    assert "red" in [tag.text for tag in descriptions.tags(busy.db, item.id)]
    assert (busy.store.derived(item.sha256) / "small.webp").exists()


def test_an_error_ends_the_item_after_three_attempts(busy: Box) -> None:
    failed = busy.wait(busy.upload("yellow"), Status.FAILED)
    assert failed.error == "Yellow cannot be described. Use another colour."
    assert attempts(busy, failed) == 3


def test_a_killed_child_costs_one_attempt(busy: Box, until: Until) -> None:
    (busy.settings.data / "hold").touch()
    item = busy.upload("green")
    until((busy.settings.data / "held").exists, "the description to begin")
    (child,) = children(busy.process.pid)
    os.kill(child, signal.SIGKILL)
    (busy.settings.data / "hold").unlink()
    busy.wait(item, Status.COMPLETED)
    assert attempts(busy, item) == 2


def test_bells_for_unknown_jobs_and_rubbish_in_the_queue_are_harmless(busy: Box) -> None:
    queue = open_queue(busy.settings.data)
    ring = listen(queue, lambda job_id: None)
    job = jobs.get(busy.db, 1)
    assert job is not None
    for number in (0, 999_999):
        ring(replace(job, id=number, priority=1000))
    queue.storage.enqueue(b"{rubbish", 2000)
    queue.storage.enqueue(b'["id", "appliance.work.queue.unknown"]', 2000)
    queue.storage.close()
    busy.wait(busy.upload("red", note="after the rubbish"), Status.COMPLETED)


def test_a_queue_deleted_under_a_running_worker(busy: Box) -> None:
    for path in busy.settings.data.glob("queue.db*"):
        path.unlink()
    item = busy.upload("purple")
    for job in jobs.open_for(busy.db, item.id):
        Bell(busy.settings.data).ring(job)  # in a new file, of which the worker knows nothing
    busy.wait(item, Status.COMPLETED)


def test_what_a_dead_page_left_is_cleared_once_another_serves(busy: Box, until: Until) -> None:
    data = busy.settings.data
    part = data / "incoming" / "cut-off.part"
    orphan = data / "originals" / "2024" / "05" / "beach.png"
    orphan.parent.mkdir(parents=True)
    shutil.copy(busy.store.original(busy.upload("red", note="its twin").path), orphan)
    part.write_bytes(b"half")
    time.sleep(0.05)  # file systems keep time in ticks
    with serving(data):
        until(lambda: not part.exists() and not orphan.exists(), "the worker to tidy up")


def test_a_second_worker_is_refused(busy: Box) -> None:
    with pytest.raises(LibraryError, match="Another worker"):
        worker.run(busy.settings)


def test_a_busy_worker_logs_no_mistake_of_its_own(busy: Box) -> None:
    """Runs last of those above: what the shared worker wrote is what they made it say."""
    busy.process.terminate()
    assert busy.process.wait(60) == 0
    said = busy.process.stderr.read().decode()
    assert said.count("Traceback") == 2, said  # the two unreadable messages, which Huey logs


def test_a_killed_worker_s_item_is_completed_by_the_next(box: Box, until: Until) -> None:
    item, process = held(box, until)
    (child,) = children(process.pid)
    process.kill()
    process.wait()
    until(lambda: not Path(f"/proc/{child}/exe").exists(), "the child's end with its worker")
    assert box.item(item).status is Status.PROCESSING
    let_go(box)
    box.start()
    box.wait(item, Status.COMPLETED)


def test_a_hanging_model_fails_its_item_and_no_other(box: Box) -> None:
    neighbours = [box.upload("red", note="before")]
    hanging = box.upload("orange")
    neighbours.append(box.upload("red", note="after"))
    box.start(replace(box.settings, processing_timeout=3))
    for neighbour in neighbours:
        box.wait(neighbour, Status.COMPLETED)
    failed = box.wait(hanging, Status.FAILED)
    assert "longer than 3 s" in failed.error
    assert attempts(box, failed) == 3


def test_a_model_that_does_not_load_has_a_deadline_too(box: Box) -> None:
    (box.settings.data / "model").write_text("heavy")
    item = box.upload("red")
    box.start(replace(box.settings, model_load_timeout=15, processing_timeout=600, attempts=1))
    failed = box.wait(item, Status.FAILED)
    assert "Loading the model heavy took longer" in failed.error


def test_an_item_that_kills_its_worker_each_time_is_given_up(box: Box) -> None:
    poison, neighbour = box.upload("white"), box.upload("red")
    for _ in range(3):
        assert box.start().wait(60) == -signal.SIGKILL
    box.start()
    box.wait(neighbour, Status.COMPLETED)
    failed = box.wait(poison, Status.FAILED)
    assert "3 times" in failed.error
    assert attempts(box, failed) == 3


def test_a_stopped_worker_gives_its_item_back_uncounted(box: Box, until: Until) -> None:
    item, process = held(box, until)
    (child,) = children(process.pid)
    process.terminate()
    assert process.wait(60) == 0
    assert not Path(f"/proc/{child}/exe").exists()
    (job,) = jobs.open_for(box.db, item.id)
    assert (job.state, job.attempts, box.item(item).status) == (JobState.QUEUED, 0, Status.PENDING)


def test_a_data_folder_that_cannot_be_is_told(settings: Settings) -> None:
    (settings.data / "file").touch()
    with pytest.raises(LibraryError, match="cannot be used"):
        worker.run(replace(settings, data=settings.data / "file"))


def test_a_damaged_queue_is_made_anew_and_the_table_s_priorities_rule(box: Box) -> None:
    (box.settings.data / "queue.db").write_bytes(b"no database at all" * 500)
    uploaded = [box.upload("red", note=str(number)) for number in range(3)]
    wanted = box.upload("purple")
    jobs.enqueue(box.db, wanted.id, Task.DESCRIBE, Priority.PERSON, now=0)
    box.start()
    for item in (*uploaded, wanted):
        box.wait(item, Status.COMPLETED)
    first = box.db.execute("SELECT item_id FROM descriptions ORDER BY id LIMIT 1").fetchone()[0]
    assert first == wanted.id


def test_a_paused_worker_prepares_and_describes_nothing_until_it_is_to_go_on(box: Box, until: Until) -> None:
    pause.pause(box.db)
    first = box.upload("red")
    process = box.start()
    until(lambda: box.item(first).prepared_at, "the picture to be prepared")
    process.terminate()
    assert process.wait(60) == 0
    box.start()  # a pause outlasts it
    second = box.upload("purple")
    until(lambda: box.item(second).prepared_at, "the picture to be prepared")
    # Its preparing came after all that the worker could have described before.
    assert [box.item(item).status for item in (first, second)] == [Status.PENDING] * 2
    assert not (box.settings.data / "loads").exists(), "the model was loaded"
    pause.resume(box.db)
    for item in (first, second):
        box.wait(item, Status.COMPLETED)
        assert attempts(box, item) == 1


def test_what_is_being_described_when_the_pause_comes_is_finished(box: Box, until: Until) -> None:
    item, _ = held(box, until)
    pause.pause(box.db)
    other = box.upload("red")
    let_go(box)
    box.wait(item, Status.COMPLETED)
    until(lambda: box.item(other).prepared_at, "the picture to be prepared")
    assert box.item(other).status is Status.PENDING


def test_another_number_of_workers_counts_without_a_restart_and_costs_no_attempt(box: Box, until: Until) -> None:
    (box.settings.data / "hold").touch()
    slow = [box.upload("green", note=str(number)) for number in range(2)]
    process = box.start(replace(box.settings, processing_timeout=600))
    box.wait(slow[0], Status.PROCESSING)
    until((box.settings.data / "held").exists, "the description to begin")
    preferences.set(box.db, "workers", 2)
    let_go(box)
    for item in slow:  # the second may be begun before the new number is seen, and must not be held then
        box.wait(item, Status.COMPLETED)
    (box.settings.data / "hold").touch()
    more = [box.upload("green", note=f"more {number}") for number in range(2)]
    for item in more:
        box.wait(item, Status.PROCESSING)  # both at the same time: each is held
    let_go(box)
    for item in (*slow, *more):
        box.wait(item, Status.COMPLETED)
        assert attempts(box, item) == 1
    assert process.poll() is None


@pytest.mark.parametrize("leap", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_makes_nobody_work_twice_nor_wait(box: Box, until: Until, leap: float) -> None:
    (box.settings.data / "hold").touch()
    slow = box.upload("green")
    box.start(replace(box.settings, processing_timeout=600, retry_delay=3600), threads=2)
    until((box.settings.data / "held").exists, "the description to begin")
    waiting = box.upload("yellow")

    def open_job(item: Any) -> Any:
        return next(job for job in jobs.open_for(box.db, item.id) if job.task is Task.DESCRIBE)

    until(lambda: open_job(waiting).not_before > time.time() + 100, "the first try, an hour before the second")
    box.tell("leap", str(leap))
    until(lambda: abs(open_job(waiting).not_before - time.time() - leap - 3600) < 100, "the back-off to follow")
    until(lambda: 0 < open_job(slow).lease_until - time.time() - leap < 100, "the lease to follow")
    box.wait(box.upload("red", now=time.time() + leap), Status.COMPLETED)  # the other thread goes on
    assert (attempts(box, slow), attempts(box, waiting)) == (1, 1)
    let_go(box)
    box.wait(slow, Status.COMPLETED)
    assert attempts(box, slow) == 1


def test_two_threads_work_at_once_and_on_each_item_once(box: Box, until: Until) -> None:
    (box.settings.data / "hold").touch()
    slow = [box.upload("green", note=str(number)) for number in range(2)]
    quick = [box.upload(colour, note=str(number)) for number in range(6) for colour in ("red", "purple")]
    box.start(replace(box.settings, processing_timeout=600), threads=2)
    for item in slow:
        box.wait(item, Status.PROCESSING)  # both at the same time: each is held
    assert all(box.item(item).status is Status.PROCESSING for item in slow)
    let_go(box)
    for item in (*slow, *quick):
        box.wait(item, Status.COMPLETED)
        assert attempts(box, item) == 1
        assert len(descriptions.history(box.db, item.id)) == 1
    assert (box.settings.data / "loads").read_text().count("fake") == 2, "there were not two children"
    assert statuses.disagreements(box.db) == []


def attempts(box: Box, item: Any) -> int:
    row = box.db.execute("SELECT attempts FROM jobs WHERE item_id = ? AND task = 'describe'", (item.id,)).fetchone()
    return int(row[0])


def test_damage_met_by_a_job_ends_the_worker_so_that_it_is_restored(box: Box, until: Until) -> None:
    held(box, until)
    with (box.settings.data / "library.db").open("r+b") as file:
        file.truncate(4096)
    (box.settings.data / "library.db-wal").write_bytes(b"")
    (box.settings.data / "hold").unlink()
    assert box.process.wait(60) == opening.DAMAGED
    assert opening.is_called_for(box.settings.data)


def test_a_worker_told_to_stop_as_its_library_goes_stops(box: Box, tmp_path: Path) -> None:
    done = box.upload("red")
    worker = box.start()
    box.wait(done, Status.COMPLETED)
    worker.send_signal(signal.SIGSTOP)
    box.settings.data.rename(tmp_path / "away")
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGCONT)
    try:
        assert worker.wait(60) == 0
    finally:
        (tmp_path / "away").rename(box.settings.data)


def test_a_worker_whose_library_is_gone_waits_and_then_starts_anew(box: Box, tmp_path: Path) -> None:
    done = box.upload("red")
    worker = box.start()
    box.wait(done, Status.COMPLETED)
    box.settings.data.rename(tmp_path / "away")
    time.sleep(2.5)  # longer than from one look to the next
    assert worker.poll() is None
    assert not box.settings.data.exists()
    (tmp_path / "away").rename(box.settings.data)
    assert worker.wait(60) == 1
