"""Many workers at one table: every job is worked on by one of them."""

import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from appliance.library import claims, database, items, statuses
from appliance.library.database import Connection
from appliance.records import JobState, Status

JOBS = 500
# Claims until nothing is left, half of them by id as a bell names them, and prints what it got. All begin together.
WORKER = """
import pathlib, sys
from appliance.library import claims, database
db = database.connect(pathlib.Path(sys.argv[1]))
db.execute("PRAGMA synchronous = OFF")  # no power is cut here
print("ready", flush=True)
sys.stdin.readline()
for job_id in range(1, 250):
    job = claims.claim(db, job_id, now=1.0, lease=60.0)
    if job: print(job.id, job.attempts)
while job := claims.claim_next(db, now=1.0, lease=60.0):
    print(job.id, job.attempts)
"""


@pytest.fixture
def queued(db: Connection) -> list[int]:
    """Five hundred queued descriptions; their ids."""
    with database.transaction(db):
        for n in range(1, JOBS + 1):
            db.execute(
                "INSERT INTO items (id, kind, sha256, path, name, bytes, mime, added_at)"
                " VALUES (?, 'photo', ?, ?, 'x', 1, 'image/jpeg', '2024')",
                (n, f"{n:064x}", f"{n}.jpg"),
            )
            db.execute(
                "INSERT INTO jobs (id, item_id, task, priority, queued_at, not_before)"
                " VALUES (?, ?, 'describe', ?, 0, 0)",
                (n, n, n % 4 * 10),
            )
    return list(range(1, JOBS + 1))


def test_processes_claim_each_job_exactly_once(path: Path, db: Connection, queued: list[int]) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    claimed = [line for worker in workers for line in worker.communicate(timeout=100)[0].splitlines()]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert Counter(claimed) == Counter(f"{job_id} 1" for job_id in queued)
    assert items.counts(db)[Status.PROCESSING] == JOBS
    assert statuses.disagreements(db) == []


def test_threads_work_each_job_off_exactly_once(path: Path, db: Connection, queued: list[int]) -> None:
    """Some workers die without a word; their jobs are taken over when the lease has run out."""
    clock = [1.0]
    finished: list[int] = []

    def work(dies_at: int | None) -> None:
        with closing(database.connect(path)) as mine:
            mine.execute("PRAGMA synchronous = OFF")  # no power is cut here
            done = 0
            while job := claims.claim_next(mine, now=clock[0], lease=60.0):
                if done == dies_at:
                    return
                assert claims.finish(mine, job, now=clock[0])
                finished.append(job.id)
                done += 1

    for deaths in ([5, 10, 15, 20], [None, None]):
        threads = [threading.Thread(target=work, args=(dies_at,)) for dies_at in deaths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock[0] += 100.0
    assert Counter(finished) == Counter(queued)
    assert db.execute("SELECT count(*) FROM jobs WHERE attempts = 2").fetchone()[0] == 4
    assert items.counts(db)[Status.COMPLETED] == JOBS
    assert statuses.disagreements(db) == []


def test_late_workers_and_takers_over_never_both_finish(path: Path, db: Connection, queued: list[int]) -> None:
    """Leases that end at once: everybody takes everything over from everybody, yet one alone finishes each."""
    finished: list[int] = []

    def work() -> None:
        with closing(database.connect(path)) as mine:
            mine.execute("PRAGMA synchronous = OFF")
            for job_id in queued[:60]:
                job = claims.claim(mine, job_id, now=1.0, lease=0.0)
                if job is not None and claims.finish(mine, job, now=1.0):
                    finished.append(job_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(Counter(finished).values()) == 1
    assert statuses.disagreements(db) == []
    states = Counter(row[0] for row in db.execute("SELECT state FROM jobs WHERE id <= 60"))
    assert states[JobState.DONE] == len(finished)
