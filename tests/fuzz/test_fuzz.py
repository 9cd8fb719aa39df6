"""Mutated files of every format, fed to the killable child and to a running appliance (`make fuzz`).

FUZZ_SECONDS is shared by all formats, unless FUZZ_COUNT asks for so many files of each; FUZZ_SEED is the first seed.
What hung, broke or ended the child is kept in build/fuzz under a name that tells its format and seed.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path

import pytest

from appliance import settings as settings_module
from appliance.errors import CaptionerError, ChildDiedError, DeadlineError, MediaError, UnsupportedMediaError
from appliance.media.formats import HEAD_BYTES, sniff
from appliance.settings import Settings
from appliance.work.child import Child
from box import Box
from mutations import name_of, sample, whole_files

SECONDS = float(os.environ.get("FUZZ_SECONDS") or 120)
COUNT = int(os.environ.get("FUZZ_COUNT") or 0)
SEED = int(os.environ.get("FUZZ_SEED") or 0)
FORMATS = tuple(whole_files())
KEPT = Path(__file__).parents[2] / "build" / "fuzz"
DEADLINE = 20  # seconds; files this small are answered in a tenth of one, also on a busy machine
SHARE_OF_SECONDS, SHARE_OF_COUNT = 0.25, 0.1  # what goes through a running appliance

pytestmark = pytest.mark.timeout(0)


@dataclass
class Tally:
    """What became of one format's files; every list names those that should not have come out so."""

    form: str
    files: int = 0
    described: int = 0
    refused: int = 0
    most_megabytes: int = 0
    slowest: float = 0.0
    hangs: list[str] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)

    def keep(self, what: list[str], seed: int, data: bytes, why: Exception) -> None:
        KEPT.mkdir(parents=True, exist_ok=True)
        name = name_of(self.form, seed)
        (KEPT / name).write_bytes(data)
        what.append(f"{name}: {why}")

    def line(self) -> str:
        return (
            f"{self.form:<17}{self.files:>7} files {self.described:>6} described {self.refused:>6} refused "
            f"{len(self.hangs):>3} hangs {len(self.broke):>3} tracebacks {len(self.deaths):>3} deaths of the child "
            f"{self.most_megabytes:>5} MB at most {self.slowest:>6.2f} s at most"
        )


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return whole_files()


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = tmp_path_factory.mktemp("fuzz")
    plain = settings_module.load(environment={}, file=data / "none", overrides={"data": str(data), "threads": 1})
    return replace(plain, processing_timeout=DEADLINE, video_frames=2)


@pytest.fixture(scope="module")
def child(given: Settings) -> Iterator[Child]:
    with Child(given) as one:
        yield one


def seeds() -> Iterator[int]:
    """Yield seeds until this format's share of the time, or its count of files, is used up."""
    if COUNT:
        yield from islice(count(SEED), COUNT)
        return
    end = time.monotonic() + SECONDS * (1 - SHARE_OF_SECONDS) / len(FORMATS)
    for seed in count(SEED):
        yield seed
        if time.monotonic() >= end:
            return


@pytest.mark.parametrize("form", FORMATS)
def test_the_child_answers_every_mutation(files: dict[str, bytes], given: Settings, child: Child, form: str) -> None:
    tally = Tally(form)
    for seed in seeds():
        _feed(child, given, tally, seed, sample(files, form, seed))
    print(f"\n{tally.line()}")
    for death in tally.deaths:  # contained: the worker starts another child, and the item fails after three attempts
        print(f"  {death}")
    assert tally.files > 0
    assert tally.hangs == []
    assert tally.broke == []


def _feed(child: Child, given: Settings, tally: Tally, seed: int, data: bytes) -> None:
    """Have one file prepared and described, as the worker does."""
    tally.files += 1
    try:
        kind = sniff(data[:HEAD_BYTES]).kind
    except UnsupportedMediaError:
        tally.refused += 1
        return
    path = given.data / "file"
    path.write_bytes(data)
    started = time.monotonic()
    refused = False
    before = len(tally.hangs) + len(tally.broke) + len(tally.deaths)
    for step in (child.prepare, child.describe):
        try:
            step(path, kind, given.data / "derived")
        except MediaError as error:
            refused = True
            if not (error.message and error.next_step):
                tally.keep(tally.broke, seed, data, error)
        except DeadlineError as error:
            # A busy machine is not the file's fault: only what takes three times as long as well hangs.
            if not _answers(child, given, path, step.__name__):
                tally.keep(tally.hangs, seed, data, error)
        except ChildDiedError as error:
            tally.keep(tally.deaths, seed, data, error)
        except CaptionerError as error:
            tally.keep(tally.broke, seed, data, error)
    tally.slowest = max(tally.slowest, time.monotonic() - started)
    tally.refused += refused
    tally.described += not refused and before == len(tally.hangs) + len(tally.broke) + len(tally.deaths)
    tally.most_megabytes = max(tally.most_megabytes, _peak(child))


def _answers(child: Child, given: Settings, path: Path, step: str) -> bool:
    kind = sniff(path.read_bytes()[:HEAD_BYTES]).kind
    patient = replace(given, processing_timeout=3 * DEADLINE)
    try:
        getattr(child, step)(path, kind, given.data / "derived", settings=patient)
    except DeadlineError:
        return False
    except (MediaError, CaptionerError):
        return True
    return True


def _peak(child: Child) -> int:
    """Return the most memory that the child held for this file, in MB, and begin to count anew."""
    process = Path(f"/proc/{child.pid}")
    try:
        lines = (process / "status").read_text().splitlines()
        (process / "clear_refs").write_text("5")
    except OSError:  # it has just died
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM:")), 0)


def test_the_appliance_answers_every_mutation(files: dict[str, bytes], tmp_path: Path) -> None:
    box = Box(tmp_path / "library", tmp_path / "log.txt")
    box.start(
        environment={
            "SHOEBOX_RETRY_DELAY": "0",
            "AI_MAX_RETRIES": "2",
            "AI_VIDEO_FRAMES": "2",
            "AI_PROCESSING_TIMEOUT": str(DEADLINE),
        }
    )
    try:
        box.wait(lambda: box.processes("worker"), "the worker")
        before = box.processes("worker") + box.processes("web")
        answers: dict[int, int] = {}

        def send(form: str, seed: int) -> int:
            data = sample(files, form, seed)
            return box.ask("POST", f"/api/v1/uploads?name={name_of(form, seed)}", data)[0]

        per_format = max(1, round(COUNT * SHARE_OF_COUNT)) if COUNT else 10_000
        end = time.monotonic() + (
            3600 if COUNT else SECONDS * SHARE_OF_SECONDS * 0.6
        )  # the rest is for describing them
        with ThreadPoolExecutor(4) as clients:
            for seed in range(SEED, SEED + per_format):
                for status in clients.map(lambda form, seed=seed: send(form, seed), FORMATS):
                    answers[status] = answers.get(status, 0) + 1
                if time.monotonic() >= end:
                    break
        box.wait(lambda: not _open(box), "everything to be described", patience=3600)
        counts = box.ask("GET", "/api/v1/status")[1]["counts"]
        log = box.log.read_text()
        deaths = [line for line in log.splitlines() if "ended in mid-work" in line]
        print(f"\nappliance: answers to uploads {answers}, items {counts}, {len(deaths)} deaths of the child")
        print("\n".join(deaths))
        assert set(answers) <= {200, 201, 415}
        assert box.processes("worker") + box.processes("web") == before
        assert [line for line in log.splitlines() if "took longer" in line] == []
        for word in ("Traceback", "unexpectedly", "made a mistake"):
            assert word not in log
        assert list((box.data / "incoming").iterdir()) == []
        assert [path for path in (box.data / "derived").rglob("*") if path.name.endswith(".part")] == []
    finally:
        box.stop()


def _open(box: Box) -> int:
    counts = box.ask("GET", "/api/v1/status")[1]["counts"]
    time.sleep(0.5)
    return int(counts.get("pending", 0)) + int(counts.get("processing", 0))
