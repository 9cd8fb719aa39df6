"""What the child may take of memory, processor and disk, and what becomes of one that wants more."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import TooLittleMemoryError
from appliance.library import jobs, notices
from appliance.records import Kind, Status
from appliance.settings import Settings
from appliance.work import process
from appliance.work.child import Child

Box = Any
HERE = Path(__file__).parent
MIB = 1 << 20
GIB = 1 << 30


@pytest.fixture
def narrow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A captioner child that may take 300 MiB."""
    monkeypatch.syspath_prepend(str(HERE))
    with Child(replace(settings, memory_limit_mb=300), loader="work_fakes:models") as child:
        yield child


def test_a_child_is_refused_memory_says_so_plainly_and_is_started_anew(
    narrow: Child, paint: Callable[[str], Path]
) -> None:
    assert narrow.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"
    first = narrow.pid
    with pytest.raises(TooLittleMemoryError, match="more memory than this box can spare"):
        narrow.describe(paint("magenta"), Kind.PHOTO, None)
    assert narrow.pid is None
    assert narrow.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"
    assert narrow.pid != first


def test_with_enough_memory_the_same_picture_is_described(
    narrow: Child, settings: Settings, paint: Callable[[str], Path]
) -> None:
    with Child(replace(settings, memory_limit_mb=2048), loader="work_fakes:models") as child:
        assert child.describe(paint("magenta"), Kind.PHOTO, None).text == "a magenta picture"


def test_the_kernel_knows_the_childs_limits(narrow: Child, paint: Callable[[str], Path]) -> None:
    narrow.describe(paint("red"), Kind.PHOTO, None)
    assert narrow.pid is not None
    proc = Path(f"/proc/{narrow.pid}")
    (line,) = (line for line in (proc / "limits").read_text().splitlines() if line.startswith("Max data size"))
    assert line.split()[3] == str(300 * MIB)
    assert int((proc / "oom_score_adj").read_text()) == process.OUT_OF_MEMORY_SCORE
    for thread in (proc / "task").iterdir():
        assert process.io_priority(int(thread.name)) == process.LOWEST_IO
        niceness = int((thread / "stat").read_text().rpartition(")")[2].split()[16])
        assert niceness == min(19, os.nice(0) + process.NICENESS)
    assert process.io_priority(os.getpid()) != process.LOWEST_IO


def test_an_item_that_wants_too_much_fails_and_its_neighbours_are_described(box: Box) -> None:
    before = box.upload("red", note="before")
    greedy = box.upload("magenta")
    after = box.upload("red", note="after")
    worker = box.start(replace(box.settings, memory_limit_mb=300))
    failed = box.wait(greedy, Status.FAILED)
    assert failed.error.startswith(
        "This needs more memory than this box can spare. Try again; if it stays, use a smaller"
    )
    for item in (before, after):
        box.wait(item, Status.COMPLETED)
    job = jobs.get(box.db, greedy.id * 2)
    assert job is not None
    assert (job.item_id, job.attempts) == (greedy.id, 3)
    assert worker.poll() is None
    assert notices.standing(box.db) == []


@pytest.mark.parametrize(
    ("total", "limit"),
    [
        (32 * GIB, 24 * GIB),
        (4 * GIB, 3 * GIB),
        (2 * GIB, 2 * GIB - 512 * MIB),
        (GIB, GIB // 2),
        (GIB // 2, GIB // 4),
    ],
)
def test_three_quarters_of_the_machine_or_less_of_a_small_one(
    settings: Settings, tmp_path: Path, total: int, limit: int
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text(f"MemTotal: {total >> 10} kB\nMemAvailable: 1 kB\nBuffers: 0 kB\n")
    assert process.memory_limit(settings, tmp_path) == limit
    assert process.memory_limit(replace(settings, memory_limit_mb=700), tmp_path) == 700 * MIB


def test_without_a_known_size_there_is_no_limit(settings: Settings, tmp_path: Path) -> None:
    assert process.memory_limit(settings, tmp_path) == 0


@pytest.mark.parametrize(("most", "told"), [(0, "unlimited"), (1, str(process.LEAST_MEMORY)), (1 << 30, str(1 << 30))])
def test_a_limit_leaves_room_to_say_what_is_wrong(most: int, told: str) -> None:
    script = (
        f"from appliance.work import process; process.limit_memory({most}); print(open('/proc/self/limits').read())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Max data size"))
    assert line.split()[3] == told
