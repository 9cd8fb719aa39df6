"""Uploads run without a pause while the page, the worker and its child are killed: nothing is lost, nothing hangs.

ROUNDS and SEED, from the environment, say how many kills there are and which dice are thrown; the seed is printed.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from box import Box
from phones import Ledger, Phone
from promises import Promises
from sent_files import Files

ROUNDS = int(os.environ.get("ROUNDS", "40"))
SEED = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
PHONES = 3
HASTE = 0.25
PATIENCE = 60.0  # seconds
SETTLED = 30.0  # seconds; less than a lease, so that nobody waits for one to run out
DRAIN = 900.0
VICTIMS = {"web": 30, "worker": 25, "appliance.work.inside": 25, "run": 10, "everything": 10}
ENVIRONMENT = {
    "AI_MAX_RETRIES": "20",  # a good file must not be given up because it was hit more often than three times
    "SHOEBOX_RETRY_DELAY": "0",
    "AI_SCHEDULED_PROCESSING": "false",
    "AI_VIDEO_FRAMES": "4",
}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    one = Box(tmp_path / "library", tmp_path / "log.txt")
    one.start(environment=ENVIRONMENT)
    yield one
    if one.process is not None:
        one.stop()


@pytest.mark.timeout(120 + 30 * ROUNDS + DRAIN)
def test_nothing_is_lost_whatever_is_killed(box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nchaos: {ROUNDS} rounds, seed {SEED}", flush=True)
    began = time.monotonic()
    random, ledger, kills = Random(f"{SEED} kills"), Ledger(), Counter[str]()
    files = Files(tmp_path, SEED)
    promises = Promises(box, ledger)
    phones = [Phone(box.port, box.allowed, files, ledger, f"{SEED} {number}") for number in range(PHONES)]
    for phone in phones:
        phone.start()
    try:
        for number in range(ROUNDS):
            time.sleep(random.uniform(0.2, 2.5))
            (victim,) = random.choices(list(VICTIMS), list(VICTIMS.values()))
            kill(box, victim)
            kills[victim] += 1
            if random.random() < HASTE and number + 1 < ROUNDS:
                continue  # the next kill comes while this one's harm is being mended
            box.wait(box.is_ready, "the page to answer", PATIENCE)
            box.wait(lambda: box.processes("worker"), "the worker to be started", PATIENCE)
            settle(promises, f"round {number}, {victim} killed")
            check(promises.broken_now(), f"round {number}, {victim} killed")
    finally:
        for phone in phones:
            phone.ending.set()
        for phone in phones:
            phone.join()
    box.wait(lambda: not waiting(box), "everything to be described", DRAIN)
    settle(promises, "the end")
    check(promises.broken_at_last(), "the end")
    doctor = [sys.executable, "-m", "appliance", "doctor", "--data", str(box.data)]
    done = subprocess.run(doctor, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ended = Counter(item["status"] for item in promises.items())
    assert box.stop() == 0
    with capsys.disabled():
        print(summary(kills, ledger, ended, time.monotonic() - began), flush=True)


def kill(box: Box, victim: str) -> None:
    """Kill the victim, and start again what nobody else does."""
    word = "" if victim == "everything" else victim
    box.wait(lambda: box.processes(word), f"{victim} to be there", PATIENCE)
    family, hit = box.processes(), box.processes(word)
    for process in hit:
        with suppress(ProcessLookupError):  # it ended in this moment
            os.kill(process, signal.SIGKILL)
    if victim in {"run", "everything"}:
        assert box.process is not None
        box.process.wait(PATIENCE)
        box.process = None
        box.wait(lambda: not any(map(alive, family)), "page and worker to end with their parent", PATIENCE)
        box.start(environment=ENVIRONMENT)
    else:
        box.wait(lambda: not any(map(alive, hit)), "the killed to be gone", PATIENCE)


def alive(process: int) -> bool:
    return Path(f"/proc/{process}/exe").exists()  # a process that nobody has waited for yet has none


def settle(promises: Promises, when: str) -> None:
    """Wait until what the kill has left is in order."""
    end = time.monotonic() + SETTLED
    while left := promises.unsettled():
        if time.monotonic() > end:
            check(left, when)
        time.sleep(0.1)


def check(wrong: list[str], when: str) -> None:
    """Fail where a promise is broken."""
    if wrong:
        pytest.fail("\n".join([f"seed {SEED}, {when}:", *wrong[:20]]), pytrace=False)


def waiting(box: Box) -> int:
    counts = box.ask("GET", "/api/v1/status")[1]["counts"]
    return int(counts["pending"] + counts["processing"])


def summary(kills: Counter[str], ledger: Ledger, ended: Counter[str], seconds: float) -> str:
    """Return the line that tells how it went."""
    by_victim = ", ".join(f"{kills[victim]} {victim.rpartition('.')[2]}" for victim in VICTIMS)
    counts = ledger.counts
    return (
        f"chaos: seed {SEED}: {sum(kills.values())} kills ({by_victim}); {len(ledger.acknowledged)} files acknowledged"
        f" by {counts['201']} × 201 and {counts['200']} × 200 (sent again), {counts['415']} refused,"
        f" {counts['cut off']} cut off, {counts['unanswered']} times no answer;"
        f" {ended['completed']} completed, {ended['failed']} failed (damaged); {seconds:.0f} s"
    )
