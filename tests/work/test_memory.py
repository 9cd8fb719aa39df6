"""Real worker processes that run out of memory: they step down, say so, remember it, and lose no picture."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ChildDiedError, TooLittleMemoryError
from appliance.library import counters, descriptions, notices
from appliance.records import Kind, Status
from appliance.settings import Settings
from appliance.work import stepping
from appliance.work.child import Child

Box = Any
Until = Callable[..., None]
HERE = Path(__file__).parent


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, threads=4)


def starve(box: Box, order: str) -> None:
    (box.settings.data / "starve").write_text(order)


def ways(box: Box) -> list[str]:
    return (box.settings.data / "ways").read_text().splitlines()


def attempts(box: Box, item: Any) -> int:
    row = box.db.execute("SELECT attempts FROM jobs WHERE item_id = ? AND task = 'describe'", (item.id,)).fetchone()
    return int(row[0])


def said(box: Box) -> list[str]:
    return [notice.text for notice in notices.standing(box.db)]


def test_a_model_that_does_not_fit_is_loaded_with_less_and_no_attempt_is_counted(box: Box) -> None:
    starve(box, "loading 1 kill")
    items = [box.upload("red"), box.upload("purple")]
    box.start()
    for item in items:
        box.wait(item, Status.COMPLETED)
        assert attempts(box, item) == 1
    assert ways(box) == ["fake 4", "fake 2", "fake 1 lean"]
    assert said(box) == [
        "Memory ran out, so describing goes on with one processor core and as little memory as it can."
    ]
    assert counters.counts(box.db, counters.CHILD_RESTARTS) == {"memory": 2}


def test_the_next_worker_begins_where_the_last_one_stood(box: Box) -> None:
    starve(box, "loading 2 refuse")
    first = box.upload("red")
    worker = box.start()
    box.wait(first, Status.COMPLETED)
    worker.terminate()
    assert worker.wait(60) == 0
    second = box.upload("purple")
    box.start()
    box.wait(second, Status.COMPLETED)
    assert ways(box) == ["fake 4", "fake 2", "fake 2"]
    assert said(box) == ["Memory ran out, so describing goes on with 2 processor cores."]


def test_a_first_picture_that_finds_no_room_is_described_with_less(box: Box) -> None:
    starve(box, "any 2 kill")
    item = box.upload("red")
    box.start()
    box.wait(item, Status.COMPLETED)
    assert attempts(box, item) == 1
    assert ways(box) == ["fake 4", "fake 2"]


def test_poison_pictures_fail_and_the_box_is_as_it_was(box: Box) -> None:
    starve(box, "purple 0 refuse")
    before = box.upload("red", note="before")
    box.start()
    box.wait(before, Status.COMPLETED)
    alone = box.wait(box.upload("purple"), Status.FAILED)
    assert attempts(box, alone) == 3
    assert alone.error.startswith("This needs more memory than this box can spare.")
    assert said(box) == []
    second = box.wait(box.upload("purple", note="second"), Status.FAILED)
    assert attempts(box, second) == 1  # it was tried on every rung, and none helped
    assert second.error.startswith("Describing this takes more memory than this box has")
    after = box.wait(box.upload("red", note="after"), Status.COMPLETED)
    assert attempts(box, after) == 1
    assert said(box) == []
    assert ways(box)[-3:] == ["fake 2", "fake 1 lean", "fake 4"]


def test_a_model_that_does_not_fit_at_all_is_replaced_and_all_is_redone_once_it_fits(
    box: Box, until: Until, install: Callable[..., None]
) -> None:
    install(box.settings.data, "blip-base-int8", bytes=200 << 20, use=True)
    starve(box, "loading 0 refuse")
    box.tell("now", "2026-07-01T12:00:00+00:00")  # and every minute passes in a second
    item = box.upload("red")
    box.start()
    box.wait(item, Status.COMPLETED)
    assert attempts(box, item) == 1
    found = descriptions.current(box.db, item.id)
    assert found is not None
    assert found.model == "sample-int8"
    assert said(box) == ["Memory ran out, so describing goes on with a smaller model, Shoebox sample (sample-int8)."]
    time.sleep(2.5)  # longer than a minute is here
    assert len(descriptions.history(box.db, item.id)) == 1, "the sample was asked again and again"
    (box.settings.data / "starve").unlink()
    stepping.forget(box.db)  # as `shoebox doctor --repair` does
    until(lambda: descriptions.current(box.db, item.id).model == "fake", "the model to describe it again")
    until(lambda: said(box) == [], "the notice to go")


def test_two_at_once_that_find_no_room_step_down_together(box: Box) -> None:
    starve(box, "loading 1 refuse")
    items = [box.upload(colour, note=str(number)) for number in range(2) for colour in ("red", "purple")]
    box.start(threads=2)
    for item in items:
        box.wait(item, Status.COMPLETED)
        assert attempts(box, item) == 1
    assert set(ways(box)) == {"fake 4", "fake 2", "fake 1 lean"}


def test_a_process_that_somebody_else_killed_is_no_reason_to_step_down(box: Box) -> None:
    items = [box.upload("blue", note=str(number)) for number in range(2)]
    box.start(replace(box.settings, attempts=1))
    for item in items:
        assert "ended in mid-work" in box.wait(item, Status.FAILED).error
    assert said(box) == []
    assert set(ways(box)) == {"fake 4"}


@pytest.fixture
def alone(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A child on a board that hides how many processes its kernel has ended."""
    monkeypatch.syspath_prepend(str(HERE))
    with Child(settings, loader="work_fakes:models", root=tmp_path) as child:
        yield child


def test_where_the_kernel_hides_what_it_killed_a_kill_counts_as_its_own(
    alone: Child, paint: Callable[[str], Path]
) -> None:
    with pytest.raises(TooLittleMemoryError) as caught:
        alone.describe(paint("blue"), Kind.PHOTO, None)
    assert not caught.value.loading
    (alone.settings.data / "starve").write_text("loading 0 abort")
    with pytest.raises(TooLittleMemoryError) as caught:
        alone.describe(paint("red"), Kind.PHOTO, None)
    assert caught.value.loading


def test_where_it_tells_that_it_killed_nobody_it_does_not(
    settings: Settings, paint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "vmstat").write_text("oom_kill 5\n")
    monkeypatch.syspath_prepend(str(HERE))
    with Child(settings, loader="work_fakes:models", root=tmp_path) as child, pytest.raises(ChildDiedError):
        child.describe(paint("blue"), Kind.PHOTO, None)
